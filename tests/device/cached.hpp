// SPDX-License-Identifier: MIT
#pragma once

#include "mapping.hpp"

/// A mapping of the device.
class view : public mapping {
public:
    view(int fd, std::size_t size, std::size_t offset = 0, int flags = MAP_SHARED,
         int protection = PROT_READ | PROT_WRITE)
        : mapping(size, flags, fd, offset, protection)
    {
    }

    /// A store or load that the compiler does not leave out.
    void store(std::size_t at, std::byte value) const
    {
        *static_cast<volatile std::byte*>(data() + at) = value;
    }
    [[nodiscard]] std::byte load(std::size_t at) const
    {
        return *static_cast<volatile std::byte*>(data() + at);
    }
};
