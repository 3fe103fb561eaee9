// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bench/run.hpp"

namespace scullpin::bench {

/// Whether gnuplot is on PATH.
[[nodiscard]] bool has_gnuplot();

/// Refuses a picture that could not be written later, or would replace a node or what is measured.
/// @throws usage_error
void check_plot(const std::string& file, const std::vector<std::string>& paths);

/// What gnuplot is told: the completion latency of each path and direction over its percentiles.
[[nodiscard]] std::string plot_script(const std::vector<run_result>& results);

/// Draws an SVG. @throws std::system_error, std::runtime_error when gnuplot made none
void plot(const std::string& file, const std::vector<run_result>& results);

}  // namespace scullpin::bench
