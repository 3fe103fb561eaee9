// SPDX-License-Identifier: MIT
#pragma once

#include <liburing.h>

#include <cstdint>
#include <cstring>

/// Fills an entry with a command of the module and its payload.
template <typename Payload>
auto command(int fd, unsigned long operation, const Payload& payload)
{
    static_assert(sizeof(payload) == 16);
    return [=](io_uring_sqe* entry) {
        io_uring_prep_rw(IORING_OP_URING_CMD, entry, fd, nullptr, 0, 0);
        entry->cmd_op = static_cast<std::uint32_t>(operation);
        std::memcpy(static_cast<void*>(entry->cmd), &payload, sizeof(payload));
    };
}

inline std::uint64_t address_of(void* object)
{
    return reinterpret_cast<std::uintptr_t>(object);
}
