// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include <catch_amalgamated.hpp>

#include "memory.hpp"
#include "scullpin/file_descriptor.hpp"

/// Where a touched page is in the machine's memory, by its number.
inline std::uint64_t frame_of(const std::byte* page)
{
    const scullpin::file_descriptor map(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
    REQUIRE(map);
    std::uint64_t entry = 0;
    const auto number = reinterpret_cast<std::uintptr_t>(page) / page_size;
    REQUIRE(::pread(map.get(), &entry, sizeof(entry), static_cast<off_t>(number * sizeof(entry))) ==
            sizeof(entry));
    const auto frame = entry & ((1ULL << 55) - 1);
    REQUIRE(frame != 0);
    return frame;
}

/// Puts the first page above 256 MiB, where edu does not get with 28 bits.
inline void keep_out_of_reach(const memory& buffer)
{
    std::vector<std::unique_ptr<memory>> low;
    for (;;) {
        buffer.fill(std::byte{1});
        if (frame_of(buffer.data()) * page_size >= 256ULL << 20) return;
        // Have the low pages be somebody else's.
        REQUIRE(low.size() < 1000);
        REQUIRE(::madvise(buffer.data(), buffer.size(), MADV_DONTNEED) == 0);
        low.push_back(std::make_unique<memory>(64));
        low.back()->fill(std::byte{1});
    }
}
