// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bench/run.hpp"

namespace scullpin::bench {

/// What gnuplot is told: the completion latency of each path and direction over its percentiles.
[[nodiscard]] std::string plot_script(const std::vector<run_result>& results);

/// Draws an SVG. @throws std::system_error, std::runtime_error when gnuplot made none
void plot(const std::string& file, const std::vector<run_result>& results);

}  // namespace scullpin::bench
