// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "overlap/request.hpp"
#include "modes/way.hpp"

namespace scullpin::overlap {

using modes::all_ways;
using modes::way;

/// How a run is watched and ended from outside.
struct control {
    const std::atomic<bool>* stop = nullptr;  ///< set from a signal handler: no further block
    /// Called before each round, counted from 1, of each way.
    std::function<void(way, unsigned)> progress;
};

/// Of all blocks, each the shortest of the rounds.
struct times {
    std::chrono::nanoseconds io{0};           ///< without computation
    std::chrono::nanoseconds computation{0};  ///< without I/O
    std::chrono::nanoseconds both{0};         ///< computation on each block that came
};

/// What one way did.
struct row {
    way how = way::cached;
    times measured;
    /// Of the range, before a pass that was to begin with cold pages: the most; none: unknown.
    std::optional<std::uint64_t> cached_before;
    std::uint64_t hash = 0;  ///< what the computation made of the blocks, the same for every way
};

/// What was done on a path. Ways that were not measured to their end have no row.
struct result {
    request what;
    geometry::kind kind = geometry::kind::regular_file;
    std::uint64_t blocks = 0;
    std::optional<backend_kind> backend;      ///< of the asynchronous way; none: there is none
    std::chrono::nanoseconds computation{0};  ///< that was wanted for one block
    std::vector<row> rows;
    std::map<way, std::string> unavailable;  ///< ways that the path does not know, and why
    bool aborted = false;
};

/// Measures every way that the path knows, reading only.
/// @throws usage_error, open_error, std::system_error when an I/O fails
[[nodiscard]] result run(const request& what, const control& how);

}  // namespace scullpin::overlap
