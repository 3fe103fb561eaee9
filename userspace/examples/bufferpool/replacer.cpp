// SPDX-License-Identifier: MIT
#include "replacer.hpp"

#include <algorithm>

namespace scullpin::bufferpool {

replacer::replacer(std::size_t frames, std::size_t ring) : marks_(frames), ring_(ring)
{
}

void replacer::leave_ring(frame_index frame)
{
    if (!marks_[frame].by_scan) return;
    scans_.erase(std::find(scans_.begin(), scans_.end(), frame));
    marks_[frame].by_scan = false;
}

void replacer::loaded(frame_index frame, bool by_scan)
{
    leave_ring(frame);
    marks_[frame] = {false, by_scan};
    if (by_scan) scans_.push_back(frame);
}

void replacer::used_again(frame_index frame)
{
    leave_ring(frame);
    marks_[frame].referenced = true;
}

std::optional<frame_index> replacer::next_of_scans(const usable& may_take)
{
    if (scans_.size() < ring_) return std::nullopt;
    const auto found = std::find_if(scans_.begin(), scans_.end(), may_take);
    if (found == scans_.end()) return std::nullopt;
    return *found;
}

std::optional<frame_index> replacer::next(const usable& may_take)
{
    // Twice around: the first turn may find nothing but referenced frames.
    for (std::size_t step = 0; step < 2 * marks_.size(); step++) {
        const auto frame = static_cast<frame_index>(hand_);
        advance();
        if (!may_take(frame)) continue;
        if (!marks_[frame].referenced) return frame;
        marks_[frame].referenced = false;
    }
    return std::nullopt;
}

void replacer::ahead(std::size_t count, const std::function<void(frame_index)>& look) const
{
    for (std::size_t step = 0; step < std::min(count, marks_.size()); step++) {
        const std::size_t frame = (hand_ + step) % marks_.size();
        if (!marks_[frame].referenced) look(static_cast<frame_index>(frame));
    }
}

void replacer::ahead_of_scans(std::size_t count, const std::function<void(frame_index)>& look) const
{
    for (std::size_t i = 0; i < std::min(count, scans_.size()); i++) look(scans_[i]);
}

}  // namespace scullpin::bufferpool
