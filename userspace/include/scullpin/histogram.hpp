// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace scullpin {

/// Counts values, nanoseconds for instance, in buckets that are exact below 128 and at most 1/64 of
/// their value wide above. Any value of 64 bits has a bucket. Not thread-safe: one for each thread,
/// merged afterwards.
class histogram {
public:
    histogram();

    void record(std::uint64_t value);
    void merge(const histogram& other);

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    /// 0 when nothing was recorded, as for max() and mean().
    [[nodiscard]] std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
    [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
    [[nodiscard]] double mean() const noexcept;

    /// The least value that @p percent of all values do not exceed, by nearest rank: at least the
    /// exact one, and at most 1/64 above it. @param percent 0 to 100, taken to three decimals
    [[nodiscard]] std::uint64_t percentile(double percent) const;

private:
    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    std::uint64_t min_ = ~std::uint64_t{0};
    std::uint64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace scullpin
