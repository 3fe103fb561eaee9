// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace scullpin::overlap {

/// Work on the bytes of a block that takes a known time: its hash, as often as needed. Nothing is
/// taken from the block that would not be read from memory.
class computation {
public:
    /// Finds out how many bytes must be hashed for @p wanted.
    /// @param block bytes of the size that will be computed on, not empty
    computation(std::chrono::nanoseconds wanted, std::span<const std::byte> block);

    /// At least once over the whole block.
    /// @param seed what it gave for the block before, so that the blocks are chained
    [[nodiscard]] std::uint64_t run(std::span<const std::byte> block, std::uint64_t seed) const;

    /// Bytes that are hashed for a block.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

private:
    std::uint64_t bytes_ = 0;
};

}  // namespace scullpin::overlap
