// SPDX-License-Identifier: MIT
#include "model.hpp"

#include <algorithm>

namespace scullpin::stress {

namespace {

/// Of a block's dead versions, how many are kept to name a mismatch.
constexpr std::ptrdiff_t versions_kept = 4;

}  // namespace

model::model(std::size_t blocks) : versions_(blocks, {version{.ended = 0}}), digests_(blocks, 0)
{
}

std::uint64_t model::begin_write(extent where, version::kind what, std::uint32_t writer)
{
    const std::lock_guard hold(lock_);
    const version next{.what = what, .sequence = ++sequence_, .writer = writer, .begun = ++now_};
    for (std::size_t i = 0; i < where.count; i++) versions_[where.first + i].push_back(next);
    return next.sequence;
}

void model::end_write(extent where, std::uint64_t sequence, std::size_t whole)
{
    const std::lock_guard hold(lock_);
    now_++;
    for (std::size_t i = 0; i < where.count; i++) {
        auto& versions = versions_[where.first + i];
        const auto ours = std::find_if(versions.begin(), versions.end(), [=](const version& one) {
            return one.sequence == sequence;
        });
        ours->ended = now_;
        ours->partial = i >= whole;
        const moment begun = ours->begun;
        if (!ours->partial)
            for (auto& other : versions)
                if (other.ended < begun) other.dead = std::min(other.dead, now_);
        forget(versions);
    }
}

/// Drops what no read in flight can see, but for the latest few.
void model::forget(std::vector<version>& versions) const
{
    const moment oldest = reads_.empty() ? now_ : *reads_.begin();
    const auto is_past = [=](const version& one) { return one.dead <= oldest; };
    auto past = std::count_if(versions.begin(), versions.end(), is_past);
    std::erase_if(versions,
                  [&](const version& one) { return is_past(one) && past-- > versions_kept; });
}

moment model::begin_read()
{
    const std::lock_guard hold(lock_);
    reads_.insert(++now_);
    return now_;
}

std::vector<model::candidates> model::end_read(extent where, moment begun)
{
    std::vector<candidates> result(where.count);
    const std::lock_guard hold(lock_);
    now_++;
    for (std::size_t i = 0; i < where.count; i++)
        for (const auto& one : versions_[where.first + i])
            (one.dead < begun ? result[i].past : result[i].alive).push_back(one);
    reads_.erase(reads_.find(begun));
    return result;
}

void model::learn(std::size_t block, std::uint64_t digest)
{
    const std::lock_guard hold(lock_);
    if (digests_[block] == 0) digests_[block] = digest;
}

std::uint64_t model::learnt(std::size_t block) const
{
    const std::lock_guard hold(lock_);
    return digests_[block];
}

}  // namespace scullpin::stress
