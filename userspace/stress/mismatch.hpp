// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "block.hpp"
#include "model.hpp"

namespace scullpin::stress {

/// What is wrong with bytes, by the traces that it left.
enum class mismatch_kind {
    stale,        ///< an earlier write of the same place
    misdirected,  ///< written for another place
    torn,         ///< parts of versions that no request mixes
    zeros,        ///< nothing was there, or it was lost
    poison,       ///< 0xaa: memory of the kernel that nobody wrote
    foreign,      ///< of another run, another device, or of nobody
    shortened,    ///< fewer bytes than asked, or than the result claims
    overrun,      ///< memory outside the request was written
    changed,      ///< other bytes than at first, and nobody wrote
};

[[nodiscard]] const char* to_string(mismatch_kind kind);

/// What memory holds before a read: what is left of it was not read.
constexpr std::byte prefill{0x5c};

/// What a kernel that poisons its free pages leaves in them.
constexpr std::byte poison_byte{0xaa};

/// One block that holds what it may not.
struct mismatch {
    mismatch_kind kind = mismatch_kind::foreign;
    std::size_t at = 0;  ///< of the first wrong byte in the block
    std::string detail;  ///< what the block says of itself, what it may hold
    std::vector<std::byte> expected;
    std::vector<std::byte> found;
};

/// Bytes 0 to home.length of version @p one at @p home.
[[nodiscard]] std::vector<std::byte> make_version(const version& one, identity home);

/// Compares a block with what it may hold.
/// @param home device, offset, generation and length of the block
/// @param mixes requests that overlap in time may leave a mix of their bytes
[[nodiscard]] std::optional<mismatch> examine(std::span<const std::byte> block,
                                              const identity& home,
                                              const model::candidates& may_hold, bool mixes);

/// The same for a block that writes came to that nobody counted: it may hold @p first, or be whole
/// and say that it is of this place and run.
[[nodiscard]] std::optional<mismatch> examine_uncounted(std::span<const std::byte> block,
                                                        const identity& home, const version& first);

}  // namespace scullpin::stress
