// SPDX-License-Identifier: MIT
#include "scullpin/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace scullpin {

namespace {

/// Every power of two is cut into 64 buckets; what is below 64 are buckets of one value.
constexpr unsigned step_bits = 6;
constexpr std::uint64_t steps = std::uint64_t{1} << step_bits;
constexpr std::size_t bucket_count = (64 - step_bits + 1) * steps;

std::size_t bucket_of(std::uint64_t value)
{
    if (value < steps) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - step_bits;
    return static_cast<std::size_t>(shift * steps + (value >> shift));
}

/// The greatest value of a bucket.
std::uint64_t last_of(std::size_t bucket)
{
    if (bucket < steps) return bucket;
    const std::uint64_t shift = bucket / steps - 1;
    const std::uint64_t first = (bucket % steps + steps) << shift;
    return first + ((std::uint64_t{1} << shift) - 1);
}

/// How many values lie at or below that percentile, without overflow: 1 to @p count.
std::uint64_t rank_of(double percent, std::uint64_t count)
{
    constexpr std::uint64_t whole = 100000;
    const auto part =
        static_cast<std::uint64_t>(std::llround(std::clamp(percent, 0.0, 100.0) * 1e3));
    const std::uint64_t rank = count / whole * part + (count % whole * part + whole - 1) / whole;
    return std::max<std::uint64_t>(rank, 1);
}

}  // namespace

histogram::histogram() : buckets_(bucket_count)
{
}

void histogram::record(std::uint64_t value)
{
    buckets_[bucket_of(value)]++;
    count_++;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
    sum_ += static_cast<double>(value);
}

void histogram::merge(const histogram& other)
{
    for (std::size_t i = 0; i < bucket_count; i++) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    sum_ += other.sum_;
}

double histogram::mean() const noexcept
{
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t histogram::percentile(double percent) const
{
    if (count_ == 0) return 0;
    std::uint64_t left = rank_of(percent, count_);
    std::size_t bucket = 0;
    for (; buckets_[bucket] < left; bucket++) left -= buckets_[bucket];
    return std::min(last_of(bucket), max_);
}

}  // namespace scullpin
