// SPDX-License-Identifier: MIT
#include "plot.hpp"

#include <cstdio>

#include <fmt/core.h>

#include "bench/gnuplot.hpp"

namespace scullpin::cli {

void add_plot(CLI::App& command, std::string& file, const std::string& what)
{
    command.add_option("--plot", file, "draw the " + what + " into this SVG file, by gnuplot")
        ->type_name("FILE");
}

bool can_plot(const std::string& file, const std::vector<std::string>& paths)
{
    if (file.empty()) return true;
    bench::check_plot(file, paths);
    if (bench::has_gnuplot()) return true;
    fmt::print(stderr, "scullpin: --plot needs gnuplot: apt install gnuplot-nox\n");
    return false;
}

}  // namespace scullpin::cli
