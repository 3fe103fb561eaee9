// SPDX-License-Identifier: MIT
#include "buckets.hpp"

#include <bit>
#include <cmath>

namespace scullpin::cli {

std::uint64_t count_of(const buckets& histogram)
{
    std::uint64_t count = 0;
    for (const auto& [floor, requests] : histogram) count += requests;
    return count;
}

std::uint64_t bucket_end(std::uint64_t floor)
{
    return floor < 4 ? floor + 1 : floor + (std::bit_floor(floor) >> 2);
}

std::uint64_t percentile_of(const buckets& histogram, double percent)
{
    const auto wanted = std::ceil(static_cast<double>(count_of(histogram)) * percent / 100);
    std::uint64_t before = 0, end = 0;
    for (const auto& [floor, requests] : histogram) {
        end = bucket_end(floor);
        before += requests;
        if (static_cast<double>(before) >= wanted) break;
    }
    return end;
}

buckets gained(const buckets& now, const buckets& before)
{
    buckets difference;
    for (const auto& [floor, requests] : now) {
        const auto found = before.find(floor);
        const auto old = found == before.end() ? 0 : found->second;
        if (requests > old) difference[floor] = requests - old;
    }
    return difference;
}

}  // namespace scullpin::cli
