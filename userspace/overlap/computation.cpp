// SPDX-License-Identifier: MIT
#include "overlap/computation.hpp"

#include <time.h>

#include <algorithm>

#include <xxhash.h>

namespace scullpin::overlap {

namespace {

using seconds = std::chrono::duration<double>;

/// Long enough to know how fast the processor is all the time, and not at its best.
constexpr seconds trial_time{0.1};

/// Of this thread: what other programs do meanwhile is not the computation's.
seconds processor_time()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

seconds time_of(const computation& work, std::span<const std::byte> block, std::uint64_t passes)
{
    const auto begun = processor_time();
    std::uint64_t hash = 0;
    for (; passes > 0; passes--) hash = work.run(block, hash);
    // Wanted by nobody, which the compiler need not know.
    asm volatile("" : : "r"(hash));
    return processor_time() - begun;
}

}  // namespace

computation::computation(std::chrono::nanoseconds wanted, std::span<const std::byte> block)
    : bytes_(block.size())
{
    std::uint64_t passes = 1;
    seconds taken = time_of(*this, block, passes);
    for (; taken < trial_time; taken = time_of(*this, block, passes)) passes *= 2;
    const double hashed = static_cast<double>(passes) * static_cast<double>(block.size());
    const double needed = seconds(wanted) / taken * hashed;
    bytes_ = std::max<std::uint64_t>(static_cast<std::uint64_t>(needed), block.size());
}

std::uint64_t computation::run(std::span<const std::byte> block, std::uint64_t seed) const
{
    for (std::uint64_t left = bytes_; left > 0;) {
        const auto length = std::min<std::uint64_t>(left, block.size());
        seed = XXH3_64bits_withSeed(block.data(), static_cast<std::size_t>(length), seed);
        left -= length;
    }
    return seed;
}

}  // namespace scullpin::overlap
