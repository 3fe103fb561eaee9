// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>

namespace scullpin::modes {

/// How a program reaches the data of a node or file.
enum class way {
    cached,        ///< plain open: through the page cache
    synchronous,   ///< O_SYNC: through the page cache, writes end on the medium
    mapped,        ///< a shared mapping of the page cache
    direct,        ///< O_DIRECT, one call after the other
    asynchronous,  ///< O_DIRECT, submitted now and waited for later
};

[[nodiscard]] constexpr const char* to_string(way how)
{
    switch (how) {
    case way::cached: return "cached";
    case way::synchronous: return "synchronous";
    case way::mapped: return "mapped";
    case way::direct: return "direct";
    case way::asynchronous: return "asynchronous";
    }
    return "?";
}

/// Every way, from the plainest on.
[[nodiscard]] constexpr std::array<way, 5> all_ways()
{
    return {way::cached, way::synchronous, way::mapped, way::direct, way::asynchronous};
}

/// Its place in all_ways().
[[nodiscard]] constexpr std::size_t index_of(way how)
{
    return static_cast<std::size_t>(how);
}

/// Whether the page cache is passed by.
[[nodiscard]] constexpr bool is_direct(way how)
{
    return how == way::direct || how == way::asynchronous;
}

/// What open(2) is told besides the access.
[[nodiscard]] constexpr int open_flags(way how)
{
    if (is_direct(how)) return O_DIRECT;
    return how == way::synchronous ? O_SYNC : 0;
}

/// Whether a way failed because the path does not know it: tmpfs may know no O_DIRECT, many a node
/// no mmap.
[[nodiscard]] inline bool is_unknown(const std::system_error& error)
{
    constexpr std::array codes{EINVAL, ENODEV, EOPNOTSUPP, ENOSYS};
    return std::find(codes.begin(), codes.end(), error.code().value()) != codes.end();
}

}  // namespace scullpin::modes
