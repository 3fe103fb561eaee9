// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "modes/survey.hpp"

namespace scullpin::modes {

/// From which size on a way is at least as good as the page cache, at every greater one, too; none:
/// at no size that was measured.
struct crossover {
    way how = way::direct;
    std::optional<std::uint64_t> latency;     ///< bytes, by the time of one request
    std::optional<std::uint64_t> throughput;  ///< bytes, by bytes a second
};

/// Of every way but the cached one, where both were measured.
[[nodiscard]] std::vector<crossover> crossovers(const survey& all);

/// Two tables, the best way of each size marked, and the crossovers.
[[nodiscard]] std::string to_text(const survey& all);

/// The document scullpin-modes/1. Keys are only ever added.
[[nodiscard]] nlohmann::ordered_json to_json(const survey& all);

/// What gnuplot is told: a curve for each way, its crossover marked. Empty when there is nothing.
[[nodiscard]] std::string plot_script(const survey& all);

}  // namespace scullpin::modes
