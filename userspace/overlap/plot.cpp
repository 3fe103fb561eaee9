// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include "bench/gnuplot.hpp"
#include "overlap/report.hpp"

namespace scullpin::overlap {

namespace {

double milliseconds_of(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double, std::milli>(time).count();
}

/// The name of a way with its overlap, and the heights of its bars.
std::string bars_of(const row& one)
{
    const auto overlap = overlap_of(one.measured);
    const auto& measured = one.measured;
    return fmt::format("\"{}\\n{}\" {:.6g} {:.6g} {:.6g} {:.6g}\n", to_string(one.how),
                       overlap ? fmt::format("{:.0f} %", *overlap * 100) : std::string("-"),
                       milliseconds_of(measured.io), milliseconds_of(measured.computation),
                       milliseconds_of(measured.both), milliseconds_of(ideal_of(measured)));
}

}  // namespace

std::string plot_script(const result& all)
{
    if (all.rows.empty()) return {};
    std::string rows;
    for (const auto& one : all.rows) rows += bars_of(one);
    return fmt::format(
        "$rows << end_of_rows\n{}end_of_rows\n"
        "set terminal svg size 900,600 noenhanced\n"
        "set title {}\n"
        "set ylabel 'milliseconds for {} blocks'\n"
        "set style data histograms\nset style histogram clustered gap 1\n"
        "set style fill solid 0.8 border -1\n"
        "set yrange [0:*]\nset grid ytics\nset key outside bottom center horizontal\n"
        "plot $rows using 2:xtic(1) title 'I/O alone', "
        "'' using 3 title 'computation alone', "
        "'' using 4 title 'both, achieved', "
        "'' using 5 title 'both, ideal'\n",
        rows,
        bench::quoted("I/O and computation at the same time, and the overlap: " + all.what.path),
        all.blocks);
}

}  // namespace scullpin::overlap
