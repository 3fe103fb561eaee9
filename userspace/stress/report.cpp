// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace scullpin::stress {

namespace {

constexpr std::size_t events_kept = 512;
constexpr std::size_t shown = 16;

bool meet(const request& a, const request& b)
{
    const auto end_of = [](const request& one) { return one.ended_s < 0 ? 1e300 : one.ended_s; };
    const bool in_time = a.begun_s < end_of(b) && b.begun_s < end_of(a);
    const bool in_place = a.offset < b.offset + b.length && b.offset < a.offset + a.length;
    return in_place || (in_time && a.worker == b.worker);
}

}  // namespace

std::string describe(const request& one)
{
    std::string text = fmt::format("#{} worker {}: {} of {} bytes at {}", one.number, one.worker,
                                   to_string(one.step.what), one.length, one.offset);
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

std::vector<request> history::near(const request& one) const
{
    const std::lock_guard hold(lock_);
    std::vector<request> found;
    for (const auto& [number, other] : in_flight_)
        if (number != one.number && meet(one, other)) found.push_back(other);
    for (const auto& other : ended_)
        if (other.number != one.number && meet(one, other)) found.push_back(other);
    const auto earlier = [](const request& a, const request& b) { return a.begun_s < b.begun_s; };
    std::sort(found.begin(), found.end(), earlier);
    // The latest say most.
    if (found.size() > shown) found.erase(found.begin(), found.end() - shown);
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
