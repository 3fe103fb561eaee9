// SPDX-License-Identifier: MIT
#include "overlap/report.hpp"

#include <algorithm>

namespace scullpin::overlap {

std::optional<double> overlap_of(const times& measured)
{
    const auto shorter = std::min(measured.io, measured.computation);
    if (shorter.count() <= 0) return std::nullopt;
    const auto hidden = measured.io + measured.computation - measured.both;
    return static_cast<double>(hidden.count()) / static_cast<double>(shorter.count());
}

std::chrono::nanoseconds ideal_of(const times& measured)
{
    return std::max(measured.io, measured.computation);
}

}  // namespace scullpin::overlap
