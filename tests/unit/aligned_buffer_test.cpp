// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <system_error>

#include <catch_amalgamated.hpp>

#include "scullpin/aligned_buffer.hpp"

using scullpin::aligned_buffer;

TEST_CASE("a buffer begins at a page, is rounded up to pages, and is zero")
{
    const aligned_buffer buffer(5000);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 4096 == 0);
    CHECK(buffer.size() == 8192);
    CHECK(std::all_of(buffer.span().begin(), buffer.span().end(),
                      [](std::byte byte) { return byte == std::byte{}; }));
}

TEST_CASE("a buffer that was moved from owns nothing")
{
    aligned_buffer first(4096);
    auto* data = first.data();
    const aligned_buffer second(std::move(first));
    CHECK(second.data() == data);
    CHECK(first.data() == nullptr);
}

TEST_CASE("a buffer that cannot be had is a system error")
{
    CHECK_THROWS_AS(aligned_buffer(std::size_t{1} << 60), std::system_error);
}
