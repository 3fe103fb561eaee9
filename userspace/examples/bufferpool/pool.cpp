// SPDX-License-Identifier: MIT
#include "pool.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/core.h>

namespace scullpin::bufferpool {

namespace {

/// Frames that scans have for themselves: twice what can be in flight, and a quarter at most.
std::size_t ring_of(const pool_settings& settings)
{
    const std::size_t most = std::size_t{2} * settings.iodepth;
    return std::max<std::size_t>(1, std::min(settings.frames / 4, most));
}

}  // namespace

page_error::page_error(int code, const char* what, page_number page)
    : std::system_error(code, std::generic_category(), fmt::format("{} page {}", what, page)),
      page_(page)
{
}

pool_full::pool_full(std::size_t frames)
    : std::runtime_error(fmt::format("all {} frames of the pool are fixed", frames))
{
}

fixed_page::~fixed_page()
{
    if (owner_ != nullptr) owner_->unfix(frame_, why_);
}

std::span<std::byte> fixed_page::bytes() const
{
    return owner_->bytes(frame_);
}

pool::pool(const pool_settings& settings, const backend_maker& make)
    : settings_(settings),
      arena_(settings.frames * settings.page_bytes),
      backend_(make(arena_.span())),
      frames_(settings.frames),
      free_(settings.frames),
      replacer_(settings.frames, ring_of(settings))
{
    // The first frame is given out first.
    std::iota(free_.rbegin(), free_.rend(), frame_index{0});
    table_.reserve(settings.frames);
}

pool::~pool() = default;

std::span<std::byte> pool::bytes(frame_index index) const
{
    return arena_.span().subspan(index * settings_.page_bytes, settings_.page_bytes);
}

fixed_page pool::fix(page_number page, intent why, pattern how)
{
    const frame_index index = find(page, how);
    frame& place = frames_[index];
    // Fixed before waiting: it stays, whatever ends meanwhile.
    place.fixes++;
    fixed_page fixed(*this, index, intent::read);
    if (place.now == frame::transfer::writing && why == intent::update) wait_for(index);
    if (why == intent::update) {
        place.updates++;
        fixed.why_ = why;
    }
    return fixed;
}

void pool::unfix(frame_index index, intent why) noexcept
{
    frame& place = frames_[index];
    place.fixes--;
    if (why == intent::read) return;
    place.updates--;
    place.dirty = true;
}

/// The frame in which the page is now, with all its bytes.
frame_index pool::find(page_number page, pattern how)
{
    const auto found = table_.find(page);
    if (found == table_.end()) return load(page, how);
    const frame_index index = found->second;
    if (frames_[index].now == frame::transfer::reading) wait_for(index);
    // Read-ahead that failed has left; who needs the page asks again, and is told.
    if (!table_.contains(page)) return load(page, how);
    counters_.hits++;
    const bool first = std::exchange(frames_[index].read_ahead, false);
    if (first) counters_.read_ahead_hits++;
    if (how == pattern::point) replacer_.used_again(index);
    return index;
}

frame_index pool::load(page_number page, pattern how)
{
    counters_.misses++;
    const frame_index index = take_frame(how);
    assign(index, page, how);
    start(index, frame::transfer::reading);
    wait_for(index);
    if (const int error = frames_[index].error; error != 0) {
        release(index);
        throw page_error(error, "read", page);
    }
    return index;
}

/// Half of the ring: the other half is what has been used, and makes room.
std::size_t pool::read_ahead_most() const noexcept
{
    return ring_of(settings_) / 2;
}

void pool::read_ahead(page_number first, std::size_t count)
{
    const page_number end = first + std::min(count, read_ahead_most());
    for (page_number page = first; page < end; page++) {
        if (table_.contains(page)) continue;
        if (backend_->in_flight() + batch_.size() >= settings_.iodepth) break;
        frame_index index = 0;
        try {
            index = take_frame(pattern::scan);
        } catch (const pool_full&) {
            break;
        }
        assign(index, page, pattern::scan);
        frames_[index].read_ahead = true;
        start(index, frame::transfer::reading);
    }
    submit();
}

void pool::flush()
{
    failed_write_.reset();
    for (frame_index index = 0; index < frames_.size(); index++) {
        const frame& place = frames_[index];
        if (!place.dirty || place.updates > 0 || place.now != frame::transfer::none) continue;
        start(index, frame::transfer::writing);
    }
    submit();
    while (backend_->in_flight() > 0) wait_some();
    throw_failed_write();
}

/// A frame without a page, which nobody else will take.
frame_index pool::take_frame(pattern how)
{
    if (!free_.empty()) {
        const frame_index index = free_.back();
        free_.pop_back();
        return index;
    }
    if (until_cleaning_ == 0) clean_ahead(how);
    for (;;) {
        const auto found = victim(how);
        if (!found && backend_->in_flight() + batch_.size() == 0) throw pool_full(frames_.size());
        if (!found) {
            wait_some();
            continue;
        }
        if (frames_[*found].dirty && frames_[*found].now == frame::transfer::none)
            start(*found, frame::transfer::writing);
        if (frames_[*found].now != frame::transfer::none) wait_for(*found);
        throw_failed_write();
        evict(*found);
        return *found;
    }
}

/// What is being read has no bytes yet; what is being written is on its way out, and waited for.
std::optional<frame_index> pool::victim(pattern how)
{
    const auto may_take = [this](frame_index index) {
        return frames_[index].fixes == 0 && frames_[index].holds_page &&
               frames_[index].now != frame::transfer::reading;
    };
    if (how == pattern::scan)
        if (const auto found = replacer_.next_of_scans(may_take)) return found;
    return replacer_.next(may_take);
}

void pool::evict(frame_index index)
{
    table_.erase(frames_[index].page);
    frames_[index] = {};
    counters_.evictions++;
    if (until_cleaning_ > 0) until_cleaning_--;
}

void pool::assign(frame_index index, page_number page, pattern how)
{
    frames_[index].page = page;
    frames_[index].holds_page = true;
    table_.emplace(page, index);
    replacer_.loaded(index, how == pattern::scan);
}

/// A frame whose page did not arrive is free again.
void pool::release(frame_index index)
{
    table_.erase(frames_[index].page);
    frames_[index] = {};
    free_.push_back(index);
}

}  // namespace scullpin::bufferpool
