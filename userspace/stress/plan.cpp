// SPDX-License-Identifier: MIT
#include "plan.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>

namespace scullpin::stress {

namespace {

/// Blocks that the profile hot knows.
constexpr std::size_t hot_blocks = 16;
/// A slot of memory begins at a page; a request within its first bytes.
constexpr std::size_t most_shift = 4096;
constexpr std::size_t most_pieces = 4;

std::uint64_t seed_of(const settings& wanted, unsigned worker)
{
    return wanted.seed * 0x9e3779b97f4a7c15 + worker;
}

bool takes_pieces(backend_kind how)
{
    return how == backend_kind::vectored || how == backend_kind::libaio ||
           how == backend_kind::io_uring;
}

}  // namespace

bool is_asynchronous(const way& by)
{
    return by.how == backend_kind::libaio || by.how == backend_kind::io_uring;
}

bool may_be_cut(const choice& step, std::int64_t result, bool signals)
{
    if (is_asynchronous(step.by))
        return step.cancel && (result > 0 || result == -ECANCELED || result == -EINTR);
    return signals && step.by.how != backend_kind::mmap && result > 0;
}

plan::plan(const settings& wanted, const abilities& can, unsigned worker)
    : how_(wanted.how),
      cancels_(wanted.has(event::cancel)),
      can_(can),
      random_(seed_of(wanted, worker)),
      at_(can.blocks / std::max(wanted.jobs, 1U) * worker)
{
}

/// Not std::uniform_int_distribution, whose choices are each library's own.
std::size_t plan::below(std::size_t bound)
{
    return static_cast<std::size_t>(random_() % bound);
}

/// Mostly reads and writes; the others as often as they make sense.
act plan::choose_act()
{
    const act what = any(can_.acts);
    if (what != act::sync && what != act::discard) return what;
    if (below(16) == 0) return what;
    return std::find(can_.acts.begin(), can_.acts.end(), act::write) != can_.acts.end() &&
                   below(2) == 0
               ? act::write
               : act::read;
}

extent plan::choose_extent()
{
    std::size_t count = 1;
    if (how_ == profile::random) {
        // Every magnitude as often as every other.
        const auto magnitudes = static_cast<std::size_t>(std::bit_width(can_.most_blocks));
        count = std::min(1 + below(std::size_t{1} << below(magnitudes + 1)), can_.most_blocks);
    } else if (how_ == profile::sequential || how_ == profile::large) {
        count = can_.most_blocks;
    } else if (how_ == profile::hot) {
        count = 1 + below(std::min(can_.most_blocks, hot_blocks));
    }
    const std::size_t span = how_ == profile::hot ? std::min(can_.blocks, hot_blocks) : can_.blocks;
    count = std::min(count, span);
    if (how_ != profile::sequential) return {below(span - count + 1), count};
    if (at_ + count > span) at_ = 0;
    at_ += count;
    return {at_ - count, count};
}

void plan::choose_memory(choice& step)
{
    step.memory = any(can_.memory);
    // Registered memory is a ring's own.
    if (step.memory == memory_kind::fixed && step.by.how != backend_kind::io_uring)
        step.memory = memory_kind::base;
    const std::size_t unit = step.by.direct ? can_.address_unit : 1;
    step.shift = below(2) == 0 ? 0 : below(most_shift / unit) * unit;
    if (!takes_pieces(step.by.how) || step.memory == memory_kind::fixed || below(2) == 0) return;
    std::size_t left = step.where.count * can_.block_bytes;
    // Cut where the device may be asked to begin a segment.
    while (step.pieces.size() + 1 < most_pieces && left > unit) {
        step.pieces.push_back((1 + below(left / unit - 1)) * unit);
        left -= step.pieces.back();
    }
    if (left > 0) step.pieces.push_back(left);
}

choice plan::next()
{
    choice step;
    step.what = choose_act();
    step.by = any(can_.ways);
    step.where = choose_extent();
    choose_memory(step);
    step.cancel = cancels_ && below(4) == 0;
    return step;
}

}  // namespace scullpin::stress
