// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "loop.hpp"

namespace scullpin::measure {

/// What an I/O costs.
struct cost {
    /// Per I/O, of the last rounds; under -icount, guest instructions.
    std::vector<double> nanoseconds;
    bool agree = false;
    double switches = 0;  ///< context switches of the whole machine, per I/O
    double idle = 0;      ///< nanoseconds per I/O that no CPU had work, to 10 ms
};

struct effort {
    unsigned rounds = 3;     ///< this many must agree
    double tolerance = 1;    ///< percent
    double round_ns = 15e6;  ///< about how long one is
};

/// Warms up, finds out how many I/Os make a round, and measures until the last ones agree, four
/// times as many at most.
/// @param depth the loop's
[[nodiscard]] cost measure(loop& what, std::size_t depth, const effort& wanted);

}  // namespace scullpin::measure
