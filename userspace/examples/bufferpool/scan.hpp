// SPDX-License-Identifier: MIT
#pragma once

#include "pool.hpp"

namespace scullpin::bufferpool {

/// A run of pages in order, read ahead of who uses them. Nobody else needs to know where it is.
class sequential_scan {
public:
    /// @param from lives longer
    sequential_scan(pool& from, page_number first, std::uint64_t count);

    [[nodiscard]] bool at_end() const noexcept { return page_ == end_; }
    /// What next() gives.
    [[nodiscard]] page_number page() const noexcept { return page_; }
    /// @throws as pool::fix()
    [[nodiscard]] fixed_page next();

private:
    pool& from_;
    page_number page_;
    page_number end_;
    page_number asked_;  ///< read-ahead has been told of all before it
};

}  // namespace scullpin::bufferpool
