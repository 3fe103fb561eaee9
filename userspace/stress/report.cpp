// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace scullpin::stress {

namespace {

constexpr std::size_t events_kept = 512;
/// Of requests that overlap in place only.
constexpr std::size_t shown = 16;

bool overlap_in_time(const request& a, const request& b)
{
    const auto end_of = [](const request& one) { return one.ended_s < 0 ? 1e300 : one.ended_s; };
    return a.begun_s < end_of(b) && b.begun_s < end_of(a);
}

bool overlap_in_place(const request& a, const request& b)
{
    return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

bool is_earlier(const request& a, const request& b)
{
    return a.begun_s < b.begun_s;
}

}  // namespace

std::string describe(const request& one)
{
    std::string text =
        fmt::format("#{} worker {}: {}", one.number, one.worker, to_string(one.step.what));
    if (one.length > 0) text += fmt::format(" of {} bytes at {}", one.length, one.offset);
    if (one.step.what == act::read || one.step.what == act::write)
        text += fmt::format(" by {}{}, {} memory + {}, {} piece(s)", to_string(one.step.by.how),
                            one.step.by.direct ? " direct" : "", to_string(one.step.memory),
                            one.step.shift, std::max<std::size_t>(one.step.pieces.size(), 1));
    if (one.sequence != 0) text += fmt::format(", sequence {}", one.sequence);
    text += fmt::format("; began at {:.6f} s", one.begun_s);
    if (one.ended_s < 0) return text + ", in flight";
    return text + fmt::format(", ended at {:.6f} s with {}", one.ended_s, one.result);
}

void history::begin(const request& one)
{
    const std::lock_guard hold(lock_);
    in_flight_.emplace(one.number, one);
}

void history::end(const request& one)
{
    const std::lock_guard hold(lock_);
    in_flight_.erase(one.number);
    if (ended_.size() < events_kept) {
        ended_.push_back(one);
        return;
    }
    ended_[next_] = one;
    next_ = (next_ + 1) % events_kept;
}

std::optional<request> history::oldest() const
{
    const std::lock_guard hold(lock_);
    const auto first = std::min_element(
        in_flight_.begin(), in_flight_.end(),
        [](const auto& a, const auto& b) { return is_earlier(a.second, b.second); });
    if (first == in_flight_.end()) return std::nullopt;
    return first->second;
}

std::vector<request> history::near(const request& one) const
{
    const std::lock_guard hold(lock_);
    std::vector<request> found, before;
    const auto consider = [&](const request& other) {
        if (other.number == one.number) return;
        if (overlap_in_time(one, other))
            found.push_back(other);
        else if (overlap_in_place(one, other))
            before.push_back(other);
    };
    for (const auto& [number, other] : in_flight_) consider(other);
    for (const auto& other : ended_) consider(other);
    std::sort(before.begin(), before.end(), is_earlier);
    // The latest say most.
    const auto most = static_cast<std::ptrdiff_t>(std::min(before.size(), shown));
    found.insert(found.end(), before.end() - most, before.end());
    std::sort(found.begin(), found.end(), is_earlier);
    return found;
}

void tally::add(const tally& other)
{
    submitted += other.submitted;
    completed += other.completed;
    bytes_read += other.bytes_read;
    bytes_written += other.bytes_written;
    blocks_verified += other.blocks_verified;
    cut_short += other.cut_short;
    cancelled += other.cancelled;
    for (const auto& [name, count] : other.by_act) by_act[name] += count;
    for (const auto& [name, count] : other.by_way) by_way[name] += count;
    for (const auto& [name, count] : other.by_memory) by_memory[name] += count;
}

}  // namespace scullpin::stress
