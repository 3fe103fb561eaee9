// SPDX-License-Identifier: MIT
#include "bench/tally.hpp"

namespace scullpin::bench {

void tally::merge(const tally& other)
{
    operations += other.operations;
    bytes += other.bytes;
    short_results += other.short_results;
    for (const auto& [code, count] : other.errors) errors[code] += count;
    slat.merge(other.slat);
    clat.merge(other.clat);
    lat.merge(other.lat);
}

std::uint64_t tally::failures() const
{
    std::uint64_t sum = short_results;
    for (const auto& [code, count] : errors) sum += count;
    return sum;
}

}  // namespace scullpin::bench
