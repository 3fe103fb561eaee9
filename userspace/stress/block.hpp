// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace scullpin::stress {

/// Whose a block is: who wrote what where, in which run. Equal identities have equal bytes, so any
/// version of a block can be made again.
struct identity {
    std::uint64_t device = 0;      ///< a hash of the path
    std::uint64_t offset = 0;      ///< bytes from the start of the device
    std::uint64_t generation = 0;  ///< the run
    std::uint64_t sequence = 0;    ///< of the write within the run, from 1
    std::uint32_t writer = 0;
    std::uint32_t length = 0;  ///< bytes of the block

    bool operator==(const identity&) const = default;
};

/// Bytes of the header; a block is at least as long.
constexpr std::size_t header_bytes = 64;

/// Writes the block that says @p who: header, checksum, and bytes that follow from the header.
/// @param block who.length bytes
void fill_block(std::span<std::byte> block, const identity& who) noexcept;

/// Who a block says it is, when its checksum agrees with every byte.
[[nodiscard]] std::optional<identity> read_block(std::span<const std::byte> block) noexcept;

/// Who a block's header says it is; the rest of the block may be another's.
[[nodiscard]] std::optional<identity> read_header(std::span<const std::byte> block) noexcept;

}  // namespace scullpin::stress
