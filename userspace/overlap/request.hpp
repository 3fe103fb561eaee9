// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "scullpin/backend.hpp"
#include "scullpin/device.hpp"

namespace scullpin::overlap {

/// What to measure, as it was asked for.
struct request {
    std::string path;
    std::uint64_t block_bytes = 64 * 1024;
    std::optional<std::uint64_t> size;    ///< bytes from the start; none: default_blocks, or all
    unsigned iodepth = 1;                 ///< in flight beside the block that is computed on
    std::optional<backend_kind> backend;  ///< of the asynchronous way; none: the first that works
    /// Computation of one block; none: as long as the direct I/O of one block takes.
    std::optional<std::chrono::nanoseconds> computation;
    unsigned rounds = 3;  ///< each time is the shortest of so many
};

inline constexpr std::uint64_t default_blocks = 64;

/// Refuses what makes no sense on any path. @throws usage_error
void check(const request& what);

/// How many blocks of the path are used. @throws usage_error when it has no such range, or the
/// range has too few blocks for two of them to be under way at the same time
[[nodiscard]] std::uint64_t blocks_of(const request& what, const geometry& shape);

}  // namespace scullpin::overlap
