// SPDX-License-Identifier: MIT
#include "bench/worker.hpp"

#include <cstring>

#include <unistd.h>

namespace scullpin::bench {

namespace {

/// Bytes from the memory of one request to that of the next: each begins at a page.
std::size_t stride_of(const job& what)
{
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (static_cast<std::size_t>(what.block_bytes) + page - 1) / page * page;
}

/// No device may gain from zeros, or from all blocks being the same.
void fill(std::span<std::byte> memory, random_numbers& numbers)
{
    for (std::size_t at = 0; at < memory.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t word = numbers.next();
        std::memcpy(memory.data() + at, &word, sizeof(word));
    }
}

std::uint64_t ns_between(worker::clock::time_point begin, worker::clock::time_point end)
{
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(end - begin).count());
}

}  // namespace

worker::worker(const job& what, const span& where, std::uint64_t seed, const backend_maker& make)
    : immediate_(is_immediate(what.backend)),
      read_percent_(read_percent(what)),
      limit_(time_limit(what)),
      left_(where.blocks),
      memory_(stride_of(what) * what.iodepth),
      offsets_(what, where, seed),
      numbers_(mix(seed)),
      slots_(immediate_ ? 1 : what.iodepth)
{
    // Also for reads: pages are there before the first request wants them.
    fill(memory_.span(), numbers_);
    for (std::size_t i = slots_.size(); i-- > 0;) {
        const auto memory = memory_.span().subspan(i * stride_of(what));
        slots_[i].op.memory = memory.first(static_cast<std::size_t>(what.block_bytes));
        slots_[i].op.tag = i;
        free_.push_back(i);
    }
    completions_.reserve(slots_.size());
    requests_ = make(memory_.span());
}

void worker::run(const std::atomic<bool>* stop)
{
    begun_ = now_ = clock::now();
    for (;;) {
        while (!stopped_ && !free_.empty() && !is_done()) {
            stopped_ = stop != nullptr && *stop;
            if (!stopped_) submit_one();
        }
        if (free_.size() == slots_.size()) return;
        collect();
    }
}

bool worker::is_done() const
{
    return limit_ ? now_ - begun_ >= *limit_ : left_ == 0;
}

void worker::submit_one()
{
    auto& one = slots_[free_.back()];
    free_.pop_back();
    left_--;
    one.op.dir = next_direction();
    one.op.offset = offsets_.next();
    one.begun = clock::now();
    requests_->submit({&one.op, 1});
    one.submitted = now_ = clock::now();
}

/// As in fio, requests that are seen together have one time of completion.
void worker::collect()
{
    completions_.clear();
    requests_->reap(completions_, 1);
    if (!immediate_) now_ = clock::now();
    for (const auto& end : completions_) note(end);
}

void worker::note(const completion& end)
{
    const auto& one = slots_[end.tag];
    free_.push_back(end.tag);
    auto& counts = results_[index_of(one.op.dir)];
    if (end.result < 0) {
        counts.errors[static_cast<int>(-end.result)]++;
        return;
    }
    if (static_cast<std::size_t>(end.result) < one.op.memory.size()) {
        counts.short_results++;
        return;
    }
    counts.operations++;
    counts.bytes += one.op.memory.size();
    moved_.store(moved_.load(std::memory_order_relaxed) + one.op.memory.size(),
                 std::memory_order_relaxed);
    if (!immediate_) counts.slat.record(ns_between(one.begun, one.submitted));
    counts.clat.record(ns_between(immediate_ ? one.begun : one.submitted, now_));
    counts.lat.record(ns_between(one.begun, now_));
}

direction worker::next_direction()
{
    if (read_percent_ == 100) return direction::read;
    return numbers_.next() % 100 < read_percent_ ? direction::read : direction::write;
}

}  // namespace scullpin::bench
