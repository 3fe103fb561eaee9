// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace scullpin::bufferpool {

using frame_index = std::uint32_t;

/// Says which frame is given up next: a clock, and beside it a ring of frames for scans.
///
/// Clock and not LRU: a hit sets one bit in one frame, where LRU would move a node of a list that
/// all hits share. A page is referenced when it is used again, not when it comes in, so a page that
/// is used once leaves with the hand's next turn.
///
/// A scan uses every page once, and would push out what is used often. Its frames are told apart,
/// and the next pages of scans take the place of the oldest of them once there are @p ring.
class replacer {
public:
    using usable = std::function<bool(frame_index)>;

    /// @param frames more than 0
    replacer(std::size_t frames, std::size_t ring);

    /// A page came into this frame, by a scan or for itself.
    void loaded(frame_index frame, bool by_scan);
    /// The page was used again, for itself: not by a scan.
    void used_again(frame_index frame);

    /// The oldest frame of scans that may be taken, once the ring is full.
    std::optional<frame_index> next_of_scans(const usable& may_take);
    /// The frame at which the hand stops; none when no frame may be taken.
    std::optional<frame_index> next(const usable& may_take);

    /// Calls @p look with each of the @p count frames next ahead of the hand that nobody has
    /// referenced.
    void ahead(std::size_t count, const std::function<void(frame_index)>& look) const;
    /// The same for the oldest frames of scans.
    void ahead_of_scans(std::size_t count, const std::function<void(frame_index)>& look) const;

private:
    struct mark {
        bool referenced = false;
        bool by_scan = false;
    };

    void leave_ring(frame_index frame);
    void advance() { hand_ = (hand_ + 1) % marks_.size(); }

    std::vector<mark> marks_;
    std::size_t hand_ = 0;
    std::deque<frame_index> scans_;  ///< oldest first
    std::size_t ring_;
};

}  // namespace scullpin::bufferpool
