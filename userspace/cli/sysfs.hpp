// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "buckets.hpp"

namespace scullpin::cli {

inline const std::filesystem::path scullpin_class = "/sys/class/scullpin";

/// Names of the scullpin devices of this machine, "scullpin0" first.
[[nodiscard]] std::vector<std::string> scullpin_devices();

/// Settings and counters of one, numbers as numbers; what cannot be read is left out.
[[nodiscard]] nlohmann::ordered_json scullpin_attributes(const std::string& name);

/// Whether a device has a setting of that name.
[[nodiscard]] bool is_setting(const std::string& name);

/// The first line of a file, when it has one and can be read.
[[nodiscard]] std::optional<std::string> first_line(const std::filesystem::path& path);

/// What a file of one line says: a number, a word, or null when it cannot be read.
[[nodiscard]] nlohmann::ordered_json attribute_value(const std::string& path);

/// The numbers in a folder of one, "stats" or "refused", by name; empty when there is no such
/// device.
[[nodiscard]] std::map<std::string, std::uint64_t> scullpin_counters(const std::string& name,
                                                                     const std::string& folder);

/// A histogram of one: "read" or "write".
[[nodiscard]] buckets scullpin_buckets(const std::string& name, const std::string& direction);

}  // namespace scullpin::cli
