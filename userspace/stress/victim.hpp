// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "block.hpp"
#include "plan.hpp"

namespace scullpin::stress {

/// What a child does until it is killed: keeps reads and writes of whole blocks in flight, no two
/// writes on one block. Its memory is made by the parent, because a child of a program with threads
/// may not allocate. When it cannot, it exits with the errno.
struct victim {
    int fd = -1;
    way by;                        ///< libaio or io_uring
    int begun_fd = -1;             ///< is told a byte when the first requests are in flight
    int group_fd = -1;             ///< cgroup.procs of the cgroup that it joins, or -1
    identity home;                 ///< of the first block that is its own
    std::size_t blocks = 0;        ///< that are its own
    std::size_t most_blocks = 1;   ///< of a request
    std::span<std::byte> memory;   ///< of its requests: victim_depth times the longest
    std::span<std::byte> hoard{};  ///< that it touches, to be short of memory
    std::uint64_t sequence = 0;    ///< of its first write
};

/// Requests in flight of a victim.
constexpr std::size_t victim_depth = 8;

/// The ways in which a victim has requests in flight when it is killed: direct ones where there
/// are, since others may end within the call.
[[nodiscard]] std::vector<way> victim_ways(const abilities& can);

/// @return the child, or -1 with errno
pid_t start(const victim& what);

}  // namespace scullpin::stress
