// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include "bench/gnuplot.hpp"
#include "modes/report.hpp"

namespace scullpin::modes {

namespace {

std::string curve(const survey& all, way how, double (*value)(const figure& measured))
{
    std::string rows;
    for (const auto& at : all.rows)
        if (const auto& measured = at.ways[index_of(how)])
            rows += fmt::format("{} {:.6g}\n", at.size, value(*measured));
    return rows;
}

/// Where a way overtakes the page cache: a line across the panel, with its name.
std::string mark(way how, const std::optional<std::uint64_t>& bytes, unsigned number)
{
    if (!bytes) return {};
    return fmt::format(
        "set arrow from {0}, graph 0 to {0}, graph 1 nohead dashtype 3\n"
        "set label {1} at {0}, graph {2:.2f} offset 0.5, 0\n",
        *bytes, bench::quoted(to_string(how)), 0.04 + 0.05 * number);
}

std::string panel(const survey& all, const char* title, double (*value)(const figure& measured),
                  std::optional<std::uint64_t> crossover::*where)
{
    std::string plots, rows, marks;
    unsigned number = 0;
    for (const auto& one : crossovers(all)) marks += mark(one.how, one.*where, number++);
    for (const auto how : all_ways()) {
        const auto points = curve(all, how, value);
        if (points.empty()) continue;
        plots += fmt::format("{}'-' using 1:2 with linespoints title {}", plots.empty() ? "" : ", ",
                             bench::quoted(to_string(how)));
        rows += points + "e\n";
    }
    return fmt::format("unset arrow\nunset label\n{}set ylabel {}\nplot {}\n{}", marks,
                       bench::quoted(title), plots, rows);
}

}  // namespace

std::string plot_script(const survey& all)
{
    bool any = false;
    for (const auto how : all_ways())
        any = any || !curve(all, how, [](const figure&) { return 0.0; }).empty();
    if (!any) return {};
    return fmt::format(
               "set terminal svg size 1200,560 noenhanced\n"
               "set multiplot layout 1,2 title {}\n"
               "set xlabel 'bytes of one request; dotted: no worse than cached from here on'\n"
               "set logscale x 2\nset logscale y 10\nset format x '%.0f'\nset xtics rotate by -45\n"
               "set key left top\nset grid\n",
               bench::quoted((all.what.write ? "five ways to write " : "five ways to read ") +
                             all.what.path)) +
           panel(
               all, "latency of one request, microseconds",
               [](const figure& measured) { return measured.latency_ns / 1000; },
               &crossover::latency) +
           panel(
               all, "throughput, MB/s",
               [](const figure& measured) { return measured.bytes_per_s / 1e6; },
               &crossover::throughput) +
           "unset multiplot\n";
}

}  // namespace scullpin::modes
