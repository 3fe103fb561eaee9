// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "scullpin/backend.hpp"
#include "scullpin/histogram.hpp"

namespace scullpin::bench {

/// What became of the requests of one direction. Latencies are those of requests that succeeded.
struct tally {
    std::uint64_t operations = 0;  ///< that moved all they should
    std::uint64_t bytes = 0;
    std::uint64_t short_results = 0;
    std::map<int, std::uint64_t> errors;  ///< by errno
    histogram slat;                       ///< ns in submit(); nothing when requests end in there
    histogram clat;                       ///< ns from there until the completion was seen
    histogram lat;                        ///< ns of both

    void merge(const tally& other);
    [[nodiscard]] std::uint64_t failures() const;
};

/// Of both directions, by number of direction.
using tallies = std::array<tally, 2>;

[[nodiscard]] constexpr std::size_t index_of(direction dir)
{
    return dir == direction::read ? 0 : 1;
}

}  // namespace scullpin::bench
