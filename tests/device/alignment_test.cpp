// SPDX-License-Identifier: MIT
// Offset, length and address of direct transfers, against what the device says of itself.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "fixture.hpp"
#include "mapping.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

struct row {
    std::uint64_t offset;
    std::size_t length;
    std::size_t skip;  ///< into a page of memory
};

/// Every combination around the device's block size and alignment.
std::vector<row> table(std::uint64_t block, std::uint64_t alignment)
{
    std::vector<row> rows;
    for (const std::uint64_t offset :
         {std::uint64_t{0}, std::uint64_t{1}, block / 2, block, 3 * block})
        for (const std::uint64_t length :
             {std::uint64_t{1}, block / 2, block - 1, block, block + 1, 2 * block})
            for (const std::uint64_t skip :
                 {std::uint64_t{0}, std::uint64_t{1}, alignment / 2, alignment, std::uint64_t{512}})
                rows.push_back(
                    {offset, static_cast<std::size_t>(length), static_cast<std::size_t>(skip)});
    return rows;
}

}  // namespace

TEST_CASE_METHOD(
    device_fixture,
    "direct transfers are refused exactly when offset, length or address is not aligned")
{
    const setting unaligned("unaligned", "refuse");
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto block = attribute("logical_block_size"), alignment = attribute("dma_alignment");
    const auto fd = open_direct();
    const memory buffer(8);
    for (const auto& [offset, length, skip] : table(block, alignment)) {
        const bool aligned = offset % block == 0 && length % block == 0 && skip % alignment == 0;
        const std::int64_t expected = aligned ? static_cast<std::int64_t>(length) : -EINVAL;
        for (const auto& way : all_ways()) {
            for (const auto dir : {direction::write, direction::read}) {
                INFO(way.name << " offset " << offset << " length " << length << " address +"
                              << skip);
                CHECK(way.run(fd.get(), dir, buffer.span().subspan(skip, length), offset) ==
                      expected);
            }
        }
    }
}

TEST_CASE_METHOD(device_fixture,
                 "unaligned direct transfers go through the page cache when the policy says so")
{
    const setting unaligned("unaligned", "buffered");
    const auto fd = open_direct();
    const memory out(4), in(4);
    fill_random(out.span(), 5);
    REQUIRE(::pwrite(fd.get(), out.data() + 3, 10001, 777) == 10001);
    REQUIRE(::pread(fd.get(), in.data() + 1, 10001, 777) == 10001);
    CHECK(same(out.span().subspan(3, 10001), in.span().subspan(1, 10001)));
    CHECK(gain("pages_pinned").value() == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "what an unaligned direct write has left is on the medium, and not cached")
{
    const setting unaligned("unaligned", "buffered");
    const auto fd = open_direct();
    const memory out(4), in(4);
    fill_random(out.span(), 6);
    const gain written("cache_written");
    REQUIRE(::pwrite(fd.get(), out.data(), 10001, 777) == 10001);
    CHECK(written.value() == 3);
    const mapping mapped(4 * page_size, MAP_SHARED, fd.get());
    std::array<unsigned char, 4> cached{};
    REQUIRE(::mincore(mapped.data(), 4 * page_size, cached.data()) == 0);
    for (const auto page : cached) CHECK((page & 1) == 0);
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    CHECK(same(in.span().subspan(777, 10001), out.span().first(10001)));
}

TEST_CASE_METHOD(device_fixture, "each iovec segment must be aligned, not only their sum")
{
    const auto block = attribute("logical_block_size"), alignment = attribute("dma_alignment");
    if (alignment == 1) SKIP("every address is aligned on this device");
    const auto fd = open_direct();
    const memory buffer(4);
    const std::size_t odd = alignment / 2;
    const std::array<iovec, 2> lengths{iovec{buffer.data(), block - odd},
                                       iovec{buffer.page(2), odd}};
    const std::array<iovec, 2> addresses{iovec{buffer.data() + odd, block},
                                         iovec{buffer.page(2), block}};
    CHECK(::preadv(fd.get(), lengths.data(), 2, 0) == -1);
    CHECK(errno == EINVAL);
    CHECK(::preadv(fd.get(), addresses.data(), 2, 0) == -1);
    CHECK(errno == EINVAL);
}
