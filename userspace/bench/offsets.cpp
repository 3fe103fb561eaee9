// SPDX-License-Identifier: MIT
#include "bench/offsets.hpp"

#include <algorithm>
#include <bit>

namespace scullpin::bench {

offsets::offsets(const job& what, const span& where, std::uint64_t seed)
    : offset_(where.offset),
      block_(what.block_bytes),
      blocks_(where.blocks),
      random_(is_random(what.rw)),
      half_bits_(std::max(1U, (static_cast<unsigned>(std::bit_width(where.blocks - 1)) + 1) / 2)),
      numbers_(seed)
{
    begin_pass();
}

std::uint64_t offsets::next()
{
    if (index_ == blocks_) begin_pass();
    const std::uint64_t index = index_++;
    return offset_ + (random_ ? shuffled(index) : index) * block_;
}

void offsets::begin_pass()
{
    index_ = 0;
    for (auto& key : keys_) key = numbers_.next();
}

/// A permutation of all numbers of that width, walked until it is within the span: a permutation of
/// the span, without memory for it.
std::uint64_t offsets::shuffled(std::uint64_t index) const
{
    do index = round_trip(index);
    while (index >= blocks_);
    return index;
}

/// A Feistel network: whatever mix() is, it can be undone, so no two numbers become the same.
std::uint64_t offsets::round_trip(std::uint64_t index) const
{
    const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t left = index >> half_bits_, right = index & mask;
    for (const std::uint64_t key : keys_) {
        const std::uint64_t mixed = left ^ (mix(right + key) & mask);
        left = right;
        right = mixed;
    }
    return left << half_bits_ | right;
}

}  // namespace scullpin::bench
