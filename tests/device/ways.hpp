// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "scullpin/backend.hpp"

/// One way to ask the kernel for a transfer. All have one form, so that a test covers them with a
/// loop.
struct way {
    const char* name;
    bool asynchronous;
    /// @return bytes or -errno
    std::int64_t (*run)(int fd, scullpin::direction dir, std::span<std::byte> memory,
                        std::uint64_t offset);
};

/// read, pread, readv, preadv2, libaio, libaio vectored, io_uring, io_uring vectored, io_uring with
/// a registered buffer; and their writes.
[[nodiscard]] std::span<const way> all_ways();
