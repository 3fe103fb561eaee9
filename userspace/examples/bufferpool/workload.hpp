// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "bench/random.hpp"
#include "frame.hpp"

namespace scullpin::bufferpool {

/// What is asked of the pages. The same settings are the same accesses, whoever serves them.
struct workload_settings {
    std::uint64_t pages = 0;  ///< more than 0
    std::uint64_t seed = 1;
    double skew = 0.99;             ///< above 0, below 1: the greater, the fewer pages are hot
    unsigned updates_percent = 20;  ///< of point accesses
    std::uint64_t scan_every = 0;   ///< point accesses; 0: no scans
    std::uint64_t scan_pages = 0;   ///< of each scan
};

/// One step: a page read or updated, or a run of pages read in order.
struct access_step {
    enum class kind { read, update, scan };
    kind what = kind::read;
    page_number page = 0;
    std::uint64_t count = 1;
};

/// Point accesses by a Zipf distribution over pages that lie anywhere, with scans in between.
class workload {
public:
    explicit workload(const workload_settings& settings);

    [[nodiscard]] access_step next();

private:
    [[nodiscard]] double fraction();
    [[nodiscard]] std::uint64_t rank();
    [[nodiscard]] page_number place(std::uint64_t rank) const;

    workload_settings settings_;
    bench::random_numbers numbers_;
    std::uint64_t until_scan_;
    double zeta_ = 0;  ///< sum of 1 / i^skew over all pages
    double alpha_ = 0;
    double eta_ = 0;
    std::uint64_t mask_ = 0;
};

}  // namespace scullpin::bufferpool
