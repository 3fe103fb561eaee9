// SPDX-License-Identifier: MIT
// Percentiles from the histogram of the module.
#include <catch_amalgamated.hpp>

#include "cli/buckets.hpp"

using namespace scullpin::cli;

TEST_CASE("the buckets of the module follow each other without a gap")
{
    CHECK(bucket_end(0) == 1);
    CHECK(bucket_end(3) == 4);
    std::uint64_t floor = 4;
    for (int i = 0; i < 100; i++) {
        const auto end = bucket_end(floor);
        CHECK((end - floor) * 4 <= floor);
        floor = end;
    }
    CHECK(floor == 4ull << 25);
}

TEST_CASE("a percentile is the end of the bucket that holds its rank")
{
    const buckets histogram{{8, 90}, {96, 9}, {98304, 1}};
    CHECK(count_of(histogram) == 100);
    CHECK(percentile_of(histogram, 50) == 10);
    CHECK(percentile_of(histogram, 90) == 10);
    CHECK(percentile_of(histogram, 91) == 112);
    CHECK(percentile_of(histogram, 99) == 112);
    CHECK(percentile_of(histogram, 100) == 114688);
    CHECK(percentile_of({}, 50) == 0);
}

TEST_CASE("what an interval gained is what was not there before")
{
    CHECK(gained({{8, 5}, {16, 2}}, {{8, 5}, {16, 1}}) == buckets{{16, 1}});
    CHECK(gained({{8, 5}}, {}) == buckets{{8, 5}});
}
