// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>

namespace scullpin::cli {

/// A histogram as the module tells it: the least microseconds of each bucket that is not empty, and
/// how many requests are in it.
using buckets = std::map<std::uint64_t, std::uint64_t>;

[[nodiscard]] std::uint64_t count_of(const buckets& histogram);

/// The first value above the bucket that begins at @p floor: below 4 each has its own, above an
/// octave is cut in four.
[[nodiscard]] std::uint64_t bucket_end(std::uint64_t floor);

/// Microseconds that @p percent of the requests did not exceed, by nearest rank: the end of their
/// bucket, so up to a quarter too much and never too little. 0 when there are none.
[[nodiscard]] std::uint64_t percentile_of(const buckets& histogram, double percent);

/// What @p now has and @p before had not.
[[nodiscard]] buckets gained(const buckets& now, const buckets& before);

}  // namespace scullpin::cli
