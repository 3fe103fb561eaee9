// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "traffic.hpp"
#include "way.hpp"
#include "workload.hpp"

namespace scullpin::bufferpool {

struct run_settings {
    std::string path;
    std::vector<way_kind> ways;
    workload_settings work;
    way_settings pages;
    std::uint64_t operations = 0;             ///< point accesses
    const std::atomic<bool>* stop = nullptr;  ///< ends the run early
};

/// What was in memory at the end of the accesses.
struct residency {
    std::uint64_t arena_bytes = 0;       ///< of the own cache
    std::uint64_t page_cache_bytes = 0;  ///< of the path, by mincore(2)
    std::uint64_t twice_bytes = 0;       ///< of these, pages that are in the own cache as well
};

/// What one way did.
struct way_report {
    way_kind kind = way_kind::pool;
    std::string mover;
    std::uint64_t accesses = 0;  ///< of pages, those of scans among them
    std::uint64_t checksum = 0;
    double seconds = 0;  ///< with the flush at the end
    traffic moved;
    std::uint64_t scan_read_bytes = 0;  ///< of what was read, while scans ran
    std::optional<pool_counters> own;
    residency memory;

    /// The part of the accesses for which the device moved no page. Below 0 where more was read
    /// than was asked for.
    [[nodiscard]] double hit_ratio(std::size_t page_bytes) const;
};

struct run_report {
    std::string traffic_from;
    std::vector<way_report> ways;
    bool aborted = false;

    [[nodiscard]] bool checksums_agree() const;
};

/// Serves the same accesses in each way, each from nothing in memory. With writable pages, what is
/// there is lost: every way begins with pages of version 0.
/// @throws open_error, usage_error, wrong_page, std::system_error
[[nodiscard]] run_report run(const run_settings& settings);

}  // namespace scullpin::bufferpool
