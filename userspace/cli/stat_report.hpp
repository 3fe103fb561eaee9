// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "buckets.hpp"

namespace scullpin::cli {

/// The counters of a device at one time.
struct device_counters {
    std::string name;
    std::map<std::string, std::uint64_t> stats;
    std::map<std::string, std::uint64_t> refused;
    std::array<buckets, 2> latency;  ///< of reads, of writes

    [[nodiscard]] std::uint64_t stat(const std::string& which) const;
    [[nodiscard]] std::uint64_t refusals() const;
};

/// @throws open_error with ENODEV when there is no such device
[[nodiscard]] device_counters read_counters(const std::string& name);

/// What happened between two looks at the devices.
struct interval {
    double seconds = 0;
    std::vector<device_counters> gained;  ///< in flight is not gained: it is what there is
};

[[nodiscard]] interval between(const std::vector<device_counters>& now,
                               const std::vector<device_counters>& before, double seconds);

/// All that `stat` says; text and JSON are both made from it.
struct stat_report {
    std::vector<device_counters> devices;  ///< at the end
    std::vector<interval> intervals;       ///< with --watch
    bool aborted = false;
};

/// The document scullpin-stat/1.
[[nodiscard]] nlohmann::ordered_json to_json(const stat_report& report);

/// Lines for people: what there is now.
[[nodiscard]] std::string to_text(const std::vector<device_counters>& devices);

/// A line for each device, below stat_heading(), padded alike.
[[nodiscard]] std::string stat_heading();
[[nodiscard]] std::string to_text(const interval& passed);

}  // namespace scullpin::cli
