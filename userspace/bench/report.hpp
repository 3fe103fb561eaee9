// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/run.hpp"

namespace scullpin::bench {

/// The percentiles that are reported, with their names in JSON and in text.
struct percentile_name {
    const char* key;
    const char* title;
    double percent;
};
constexpr std::array<percentile_name, 5> percentiles{{{"p50", "p50", 50},
                                                      {"p90", "p90", 90},
                                                      {"p99", "p99", 99},
                                                      {"p99_9", "p99.9", 99.9},
                                                      {"p99_99", "p99.99", 99.99}}};

/// A histogram in a few numbers; nanoseconds.
struct latency {
    std::uint64_t count = 0;
    std::uint64_t min = 0;
    double mean = 0;
    std::array<std::uint64_t, percentiles.size()> at{};
    std::uint64_t max = 0;
};

/// What one path does of what the first does; none where one of the two has nothing to compare.
struct ratios {
    std::optional<double> iops;
    std::optional<double> clat_p50;
    std::optional<double> clat_p99;
};

/// One direction on one path.
struct side_report {
    const char* name = "";
    std::uint64_t operations = 0;
    std::uint64_t bytes = 0;
    double iops_per_s = 0;
    double bandwidth_bytes_per_s = 0;
    std::optional<latency> slat, clat, lat;       ///< none when nothing was measured
    std::map<std::string, std::uint64_t> errors;  ///< by name of the errno, "short" among them
    ratios to_first;
};

struct path_report {
    std::string path;
    geometry::kind kind = geometry::kind::regular_file;
    std::uint64_t span_bytes = 0;
    double seconds = 0;
    bool aborted = false;
    std::array<side_report, 2> sides;

    [[nodiscard]] std::uint64_t operations() const;
    [[nodiscard]] std::uint64_t errors() const;
};

/// All that is said about a job; text and JSON are both made from it.
struct report {
    job what;
    std::optional<double> overhead_ns;
    std::vector<path_report> paths;
    bool aborted = false;
};

[[nodiscard]] report make_report(const job& what, std::optional<double> overhead,
                                 const std::vector<run_result>& results);

/// The document scullpin-bench/1.
[[nodiscard]] nlohmann::ordered_json to_json(const report& all);

/// Lines for people. @param color headings in bold, errors in red
[[nodiscard]] std::string to_text(const report& all, bool color);

/// Name of an errno: "EIO", or its number when it has none.
[[nodiscard]] std::string errno_name(int code);

}  // namespace scullpin::bench
