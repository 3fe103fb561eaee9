// SPDX-License-Identifier: MIT
#include <catch_amalgamated.hpp>

#include "scullpin/error.hpp"
#include "scullpin/size.hpp"

TEST_CASE("sizes take a suffix of either case and mean powers of 1024")
{
    CHECK(scullpin::parse_size("0") == 0);
    CHECK(scullpin::parse_size("4096") == 4096);
    CHECK(scullpin::parse_size("4k") == 4096);
    CHECK(scullpin::parse_size("4K") == 4096);
    CHECK(scullpin::parse_size("3M") == 3u << 20);
    CHECK(scullpin::parse_size("5G") == 5ull << 30);
    CHECK(scullpin::parse_size("18446744073709551615") == ~0ull);
}

TEST_CASE("sizes refuse junk, signs, nothing and overflow")
{
    for (const char* text : {"", "k", "-1", "+1", " 1", "1 ", "1kk", "1kB", "1.5k", "0x10",
                             "18446744073709551616", "16777216T"})
        CHECK_THROWS_AS(scullpin::parse_size(text), scullpin::usage_error);
}

TEST_CASE("times are seconds unless a suffix says otherwise")
{
    using namespace std::chrono_literals;
    CHECK(scullpin::parse_duration("10") == 10s);
    CHECK(scullpin::parse_duration("0.25") == 250ms);
    CHECK(scullpin::parse_duration("500ms") == 500ms);
    CHECK(scullpin::parse_duration("1.5s") == 1500ms);
    CHECK(scullpin::parse_duration("30m") == 30min);
    CHECK(scullpin::parse_duration("2h") == 2h);
}

TEST_CASE("times refuse junk, signs, nothing and overflow")
{
    for (const char* text : {"", "s", "-1", "+1", " 1", "1 ", "1d", "1ss", "1e3", "nan", "inf",
                             "99999999999999999999h"})
        CHECK_THROWS_AS(scullpin::parse_duration(text), scullpin::usage_error);
}

TEST_CASE("sizes are printed for people")
{
    CHECK(scullpin::format_size(512) == "512 B");
    CHECK(scullpin::format_size(1536) == "1.5 KiB");
    CHECK(scullpin::format_size(1ull << 30) == "1.0 GiB");
}

TEST_CASE("times are printed for people with three digits")
{
    CHECK(scullpin::format_duration(0) == "0 ns");
    CHECK(scullpin::format_duration(850.2) == "850 ns");
    CHECK(scullpin::format_duration(999.7) == "1.00 us");
    CHECK(scullpin::format_duration(12345) == "12.3 us");
    CHECK(scullpin::format_duration(99960) == "100 us");
    CHECK(scullpin::format_duration(4.56e6) == "4.56 ms");
    CHECK(scullpin::format_duration(5e12) == "5000 s");
}
