// SPDX-License-Identifier: MIT
#include "scan.hpp"

#include <algorithm>

namespace scullpin::bufferpool {

sequential_scan::sequential_scan(pool& from, page_number first, std::uint64_t count)
    : from_(from), page_(first), end_(first + count), asked_(first)
{
}

fixed_page sequential_scan::next()
{
    const page_number most = from_.read_ahead_most();
    // Half a window at a time: one submission for many pages.
    if (asked_ < end_ && asked_ - page_ <= most / 2) {
        const page_number until = std::min(end_, page_ + most);
        from_.read_ahead(page_, until - page_);
        asked_ = std::max(until, page_ + 1);
    }
    auto fixed = from_.fix(page_, intent::read, pattern::scan);
    page_++;
    asked_ = std::max(asked_, page_);
    return fixed;
}

}  // namespace scullpin::bufferpool
