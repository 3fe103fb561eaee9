// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "overlap/run.hpp"

namespace scullpin::overlap {

/// How much of the shorter of the two was hidden behind the other: 1 when all of it, 0 when none,
/// below when both took longer than one after the other. As measured, not cut. None when one of
/// them took no time.
[[nodiscard]] std::optional<double> overlap_of(const times& measured);

/// The longer of the two: what both take when all of the shorter is hidden.
[[nodiscard]] std::chrono::nanoseconds ideal_of(const times& measured);

/// A table, a way a row.
[[nodiscard]] std::string to_text(const result& all);

/// The document scullpin-overlap/1. Keys are only ever added.
[[nodiscard]] nlohmann::ordered_json to_json(const result& all);

/// What gnuplot is told: bars for each way. Empty when there is nothing.
[[nodiscard]] std::string plot_script(const result& all);

}  // namespace scullpin::overlap
