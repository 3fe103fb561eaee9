// SPDX-License-Identifier: MIT
// The histogram beside the exact answer: all values, sorted.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <catch_amalgamated.hpp>

#include "scullpin/histogram.hpp"

using scullpin::histogram;

namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
constexpr double percents[] = {0, 0.001, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 99.999, 100};

/// Nearest rank, in whole numbers: what the histogram promises to come close to.
std::uint64_t exact(const std::vector<std::uint64_t>& sorted, double percent)
{
    const auto part = static_cast<std::uint64_t>(std::llround(percent * 1000));
    const std::uint64_t rank = (sorted.size() * part + 99999) / 100000;
    return sorted[static_cast<std::size_t>(std::max<std::uint64_t>(rank, 1) - 1)];
}

/// At least @p wanted, and at most 1/64 above.
bool is_close(std::uint64_t actual, std::uint64_t wanted)
{
    return actual >= wanted && actual - wanted <= wanted / 64;
}

using generator = std::mt19937_64;

std::uint64_t uniform(generator& random)
{
    return random() % 1000000;
}

std::uint64_t small(generator& random)
{
    return random() % 200;
}

std::uint64_t any_magnitude(generator& random)
{
    return random() >> (random() % 64);
}

std::uint64_t latency_like(generator& random)
{
    return static_cast<std::uint64_t>(std::lognormal_distribution<double>(9, 1.5)(random));
}

/// Most at one place, a few a thousand times as far: the percentiles jump.
std::uint64_t two_peaks(generator& random)
{
    return random() % 1000 == 0 ? 50'000'000 + random() % 1000 : 50'000 + random() % 1000;
}

std::uint64_t constant(generator&)
{
    return 123456789;
}

using distribution = std::uint64_t (*)(generator&);
constexpr distribution distributions[] = {uniform,      small,     any_magnitude,
                                          latency_like, two_peaks, constant};

std::vector<std::uint64_t> draw(distribution how, std::size_t count, unsigned seed)
{
    generator random(seed);
    std::vector<std::uint64_t> values(count);
    for (auto& value : values) value = how(random);
    return values;
}

histogram of(const std::vector<std::uint64_t>& values)
{
    histogram made;
    for (const auto value : values) made.record(value);
    return made;
}

double mean_of(const std::vector<std::uint64_t>& values)
{
    return std::accumulate(
               values.begin(), values.end(), 0.0,
               [](double sum, std::uint64_t value) { return sum + static_cast<double>(value); }) /
           static_cast<double>(values.size());
}

void check_against_sorting(std::vector<std::uint64_t> values)
{
    const auto made = of(values);
    const double mean = mean_of(values);
    std::sort(values.begin(), values.end());
    REQUIRE(made.count() == values.size());
    CHECK(made.min() == values.front());
    CHECK(made.max() == values.back());
    CHECK(std::abs(made.mean() - mean) <= mean * 1e-9);
    for (const double percent : percents) {
        const auto actual = made.percentile(percent), wanted = exact(values, percent);
        CAPTURE(percent, actual, wanted);
        CHECK(is_close(actual, wanted));
    }
}

}  // namespace

TEST_CASE("percentiles of a histogram are at most 1/64 above those of all values sorted")
{
    const auto which = GENERATE(range(std::size_t{0}, std::size(distributions)));
    for (unsigned seed = 1; seed <= 40; seed++) {
        CAPTURE(which, seed);
        const std::size_t count = 1 + seed * seed * 7;
        check_against_sorting(draw(distributions[which], count, seed));
    }
}

TEST_CASE("a histogram holds every edge of its buckets, and the ends of all numbers")
{
    std::vector<std::uint64_t> edges{0, 1, 63, 64, 127, 128, 1ull << 40, largest};
    for (unsigned power = 1; power < 64; power++)
        for (const std::uint64_t step : {0, 1}) edges.push_back((1ull << power) - step);
    for (const auto value : edges) {
        CAPTURE(value);
        histogram one;
        one.record(value);
        CHECK((one.min() == value && one.max() == value && one.count() == 1));
        CHECK(one.percentile(50) == value);  // not above the greatest that came
        one.record(largest);
        CHECK(is_close(one.percentile(50), value));
    }
    check_against_sorting(edges);
}

TEST_CASE("a histogram is exact below 128")
{
    std::vector<std::uint64_t> values(128);
    std::iota(values.begin(), values.end(), 0);
    auto made = of(values);
    made.record(largest);
    for (std::uint64_t rank = 1; rank <= 128; rank++) {
        const double percent = std::floor(static_cast<double>(rank) / 129 * 1e5) / 1e3;
        values.push_back(largest);
        CHECK(made.percentile(percent) == exact(values, percent));
        values.pop_back();
    }
}

TEST_CASE("merged histograms are the histogram of all values")
{
    for (unsigned seed = 1; seed <= 10; seed++) {
        auto all = draw(latency_like, 1000 * seed, seed);
        const auto more = draw(any_magnitude, 777, seed + 100);
        auto merged = of(all);
        merged.merge(of(more));
        merged.merge(histogram());
        all.insert(all.end(), more.begin(), more.end());
        const auto whole = of(all);
        CHECK((merged.count() == whole.count() && merged.min() == whole.min() &&
               merged.max() == whole.max()));
        CHECK(std::abs(merged.mean() - whole.mean()) <= whole.mean() * 1e-9);
        for (const double percent : percents)
            CHECK(merged.percentile(percent) == whole.percentile(percent));
    }
}

TEST_CASE("a histogram of nothing is all zeros")
{
    const histogram none;
    CHECK((none.count() == 0 && none.min() == 0 && none.max() == 0 && none.mean() == 0 &&
           none.percentile(99) == 0));
}
