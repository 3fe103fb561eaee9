// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "bench/job.hpp"
#include "bench/random.hpp"

namespace scullpin::bench {

/// Where the requests of one thread go: over the span in order or at random, each block once before
/// any comes again, as fio does it. The random order is another one in every pass.
class offsets {
public:
    offsets(const job& what, const span& where, std::uint64_t seed);

    std::uint64_t next();

private:
    void begin_pass();
    [[nodiscard]] std::uint64_t shuffled(std::uint64_t index) const;
    [[nodiscard]] std::uint64_t round_trip(std::uint64_t index) const;

    std::uint64_t offset_;  ///< bytes
    std::uint64_t block_;   ///< bytes
    std::uint64_t blocks_;
    bool random_;
    unsigned half_bits_;  ///< half the width of a number that names a block
    random_numbers numbers_;
    std::array<std::uint64_t, 4> keys_{};
    std::uint64_t index_ = 0;
};

}  // namespace scullpin::bench
