// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace scullpin::cli {

/// Names of the scullpin devices of this machine, "scullpin0" first.
[[nodiscard]] std::vector<std::string> scullpin_devices();

/// Settings and counters of one, numbers as numbers; what cannot be read is left out.
[[nodiscard]] nlohmann::ordered_json scullpin_attributes(const std::string& name);

}  // namespace scullpin::cli
