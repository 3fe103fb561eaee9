// SPDX-License-Identifier: MIT
// The pool and its device: what is started, and what becomes of it.
#include <cerrno>

#include "pool.hpp"

namespace scullpin::bufferpool {

namespace {

/// What the device made of a transfer of one page: 0, or an errno.
int error_of(std::int64_t result, std::size_t page_bytes)
{
    if (result < 0) return static_cast<int>(-result);
    return static_cast<std::size_t>(result) == page_bytes ? 0 : EIO;
}

}  // namespace

/// Starts writing what the next evictions would have to wait for: half the queue at a time.
void pool::clean_ahead(pattern how)
{
    const std::size_t window = std::max<std::size_t>(1, settings_.iodepth / 2);
    const auto clean = [this, window](frame_index index) {
        const frame& place = frames_[index];
        const bool idle = place.holds_page && place.fixes == 0;
        if (place.dirty && idle && place.now == frame::transfer::none && batch_.size() < window)
            start(index, frame::transfer::writing);
    };
    if (how == pattern::scan) replacer_.ahead_of_scans(2 * window, clean);
    replacer_.ahead(2 * window, clean);
    submit();
    until_cleaning_ = window;
}

/// Puts one transfer to the others of the batch. Waits when the queue is full.
void pool::start(frame_index index, frame::transfer what)
{
    while (backend_->in_flight() + batch_.size() >= settings_.iodepth) wait_some();
    frame& place = frames_[index];
    const bool read = what == frame::transfer::reading;
    place.now = what;
    // A write that fails makes it dirty again.
    place.dirty = false;
    (read ? counters_.device_reads : counters_.device_writes)++;
    batch_.push_back({read ? direction::read : direction::write, place.page * settings_.page_bytes,
                      bytes(index), index});
}

void pool::submit()
{
    if (batch_.empty()) return;
    backend_->submit(batch_);
    batch_.clear();
}

/// Waits until at least one transfer has ended, if any is under way.
void pool::wait_some()
{
    submit();
    ended_.clear();
    backend_->reap(ended_, 1);
    for (const auto& end : ended_) complete(end);
}

void pool::wait_for(frame_index index)
{
    while (frames_[index].now != frame::transfer::none) wait_some();
}

void pool::complete(const completion& end)
{
    const auto index = static_cast<frame_index>(end.tag);
    frame& place = frames_[index];
    const bool read = place.now == frame::transfer::reading;
    const int error = error_of(end.result, settings_.page_bytes);
    place.now = frame::transfer::none;
    if (error == 0) return;
    if (!read) {
        failed_write_ = failure{error, place.page};
        place.dirty = true;
    } else if (place.read_ahead) {
        release(index);  // who needs the page asks for it, and is told
    } else {
        place.error = error;
    }
}

void pool::throw_failed_write()
{
    if (!failed_write_) return;
    const failure what = *std::exchange(failed_write_, std::nullopt);
    throw page_error(what.code, "write", what.page);
}

}  // namespace scullpin::bufferpool
