// SPDX-License-Identifier: MIT
#include "bench/plot.hpp"

#include <array>
#include <stdexcept>

#include <fmt/core.h>

#include "bench/gnuplot.hpp"

namespace scullpin::bench {

namespace {

constexpr std::array percents{0.0,  10.0, 25.0, 50.0, 75.0,  90.0,  95.0,
                              98.0, 99.0, 99.5, 99.9, 99.95, 99.99, 99.999};

/// x: how many nines, so that each further digit of a percentile has as much room as the one
/// before.
std::string curve(const histogram& values)
{
    std::string rows;
    for (const double percent : percents)
        if (percent == 0 || static_cast<double>(values.count()) * (100 - percent) >= 100)
            rows += fmt::format("{:.3f} {:.3f}\n", 100 / (100 - percent),
                                static_cast<double>(values.percentile(percent)) / 1000);
    return rows;
}

}  // namespace

std::string plot_script(const std::vector<run_result>& results)
{
    std::string plots, rows;
    for (const auto& result : results)
        for (const auto dir : {direction::read, direction::write}) {
            const auto& values = result.sides[index_of(dir)].clat;
            if (values.count() == 0) continue;
            const auto title = result.path + (dir == direction::read ? " read" : " write");
            plots += fmt::format("'-' using 1:2 with linespoints title {}, ", quoted(title));
            rows += curve(values) + "e\n";
        }
    if (plots.empty()) return {};
    plots.resize(plots.size() - 2);
    return "set terminal svg size 900,600 noenhanced\n"
           "set title 'completion latency'\n"
           "set xlabel 'percentile'\n"
           "set ylabel 'microseconds'\n"
           "set logscale xy\n"
           "set key left top\n"
           "set grid\n"
           "set xtics ('0' 1, '50' 2, '90' 10, '99' 100, '99.9' 1000, '99.99' 10000, "
           "'99.999' 100000)\n"
           "plot " +
           plots + "\n" + rows;
}

void plot(const std::string& file, const std::vector<run_result>& results)
{
    const auto script = plot_script(results);
    if (script.empty()) throw std::runtime_error("nothing was measured that could be drawn");
    draw(file, script);
}

}  // namespace scullpin::bench
