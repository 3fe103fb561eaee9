// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace scullpin::measure {

/// Walks over a span, again from its start when it has come to the end.
class position {
public:
    /// @param span bytes, at least one step
    position(std::uint64_t span, std::size_t step) : end_(span - span % step), step_(step) {}

    std::uint64_t next()
    {
        const auto here = at_;
        at_ += step_;
        if (at_ == end_) at_ = 0;
        return here;
    }

private:
    std::uint64_t at_ = 0;
    std::uint64_t end_;
    std::size_t step_;
};

}  // namespace scullpin::measure
