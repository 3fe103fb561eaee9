// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "run.hpp"

namespace scullpin::bufferpool {

/// The answer as one JSON document: "scullpin-bufferpool/1".
[[nodiscard]] std::string to_json(const run_settings& settings, const run_report& report);
/// The answer as a table.
[[nodiscard]] std::string to_text(const run_settings& settings, const run_report& report);

}  // namespace scullpin::bufferpool
