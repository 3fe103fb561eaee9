// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace scullpin::bench {

/// Spreads a number over all 64 bits (splitmix64). Inline: it is called for every request.
[[nodiscard]] inline std::uint64_t mix(std::uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

/// The same numbers for the same seed, on every machine.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15); }

private:
    std::uint64_t state_;
};

}  // namespace scullpin::bench
