// SPDX-License-Identifier: MIT
// Every way in and every way out moves the same bytes.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "fixture.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

/// Writes by each way, reads that back by each, on one file and with one size.
void check_all_pairs(int fd, std::size_t size, std::uint64_t offset)
{
    memory out(size / page_size + 1), in(size / page_size + 1);
    std::uint64_t seed = 0;
    for (const auto& writer : all_ways()) {
        fill_random(out.span(), ++seed);
        const auto sent = out.span().first(size);
        INFO("written by " << writer.name << ", " << size << " bytes at " << offset);
        REQUIRE(writer.run(fd, direction::write, sent, offset) == static_cast<std::int64_t>(size));
        for (const auto& reader : all_ways()) {
            INFO("read by " << reader.name);
            in.fill(std::byte{0x55});
            const auto got = in.span().first(size);
            REQUIRE(reader.run(fd, direction::read, got, offset) ==
                    static_cast<std::int64_t>(size));
            REQUIRE(same(sent, got));
            REQUIRE(all_equal(in.span().subspan(size), std::byte{0x55}));
        }
    }
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "direct writes and reads of every kind give identical bytes with every completion")
{
    const setting completion("completion", GENERATE("auto", "inline", "deferred"));
    const auto fd = open_direct();
    check_all_pairs(fd.get(), page_size, 3 * page_size);
    check_all_pairs(fd.get(), 49 * page_size, 5 * page_size);
}

TEST_CASE_METHOD(device_fixture,
                 "plain writes and reads of every kind give identical bytes with every completion")
{
    const setting completion("completion", GENERATE("auto", "inline", "deferred"));
    const auto fd = open_node();
    check_all_pairs(fd.get(), page_size, 3 * page_size);
    check_all_pairs(fd.get(), 100003, 12345);
}

TEST_CASE_METHOD(device_fixture,
                 "what was written directly is read plainly, and the other way round")
{
    const auto direct = open_direct(), plain = open_node();
    memory out(20), in(20);
    for (const auto& [writer, reader] :
         {std::pair(direct.get(), plain.get()), std::pair(plain.get(), direct.get())}) {
        fill_random(out.span(), static_cast<unsigned>(writer));
        REQUIRE(::pwrite(writer, out.data(), out.size(), 1 << 20) ==
                static_cast<ssize_t>(out.size()));
        REQUIRE(::pread(reader, in.data(), in.size(), 1 << 20) == static_cast<ssize_t>(in.size()));
        CHECK(same(out.span(), in.span()));
    }
}

TEST_CASE_METHOD(device_fixture,
                 "memory off page boundaries and the same page twice in one iovec are moved right")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto alignment = attribute("dma_alignment");
    const auto fd = open_direct();
    const memory out(16), in(16), pair(2);
    fill_random(out.span(), 11);
    fill_random(pair.span(), 12);

    // Segments that begin and end inside pages, joined to whole blocks.
    const auto skip = static_cast<std::size_t>(alignment);
    const std::array<iovec, 3> odd{iovec{out.data() + skip, 4096 - skip},
                                   iovec{out.page(3) + 512, 8192},
                                   iovec{out.page(8) + skip, 4096 + skip}};
    std::vector<std::byte> expected;
    for (const auto& segment : odd) {
        const auto* begin = static_cast<const std::byte*>(segment.iov_base);
        expected.insert(expected.end(), begin, begin + segment.iov_len);
    }
    REQUIRE(::pwritev(fd.get(), odd.data(), 3, 0) == 16384);
    REQUIRE(::pread(fd.get(), in.data(), 16384, 0) == 16384);
    CHECK(same(expected, in.span().first(16384)));

    const std::array<iovec, 3> twice{iovec{pair.data(), 4096}, iovec{pair.page(1), 4096},
                                     iovec{pair.data(), 4096}};
    REQUIRE(::pwritev(fd.get(), twice.data(), 3, 65536) == 12288);
    REQUIRE(::pread(fd.get(), in.data(), 12288, 65536) == 12288);
    CHECK(same(pair.span(), in.span().first(8192)));
    CHECK(same(pair.span().first(4096), in.span().subspan(8192, 4096)));
    // Read into the same page twice: the page holds one of the two, whole.
    REQUIRE(::preadv(fd.get(), twice.data(), 3, 65536) == 12288);
    CHECK(same(pair.span().first(4096), in.span().first(4096)));
}

TEST_CASE_METHOD(device_fixture, "a block in as many segments as alignment allows is one request")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto step = static_cast<std::size_t>(attribute("dma_alignment"));
    const auto block = static_cast<std::size_t>(attribute("logical_block_size"));
    const memory out(64), in(1);
    fill_random(out.span(), 21);
    std::vector<iovec> segments;
    std::vector<std::byte> expected;
    for (std::size_t i = 0; i < block / step; i++) {
        auto* begin = out.page(i % 64) + 512 + i / 64 * step;
        segments.push_back({begin, step});
        expected.insert(expected.end(), begin, begin + step);
    }
    const auto fd = open_direct();
    REQUIRE(::pwritev(fd.get(), segments.data(), static_cast<int>(segments.size()), 0) ==
            static_cast<ssize_t>(block));
    REQUIRE(::pread(fd.get(), in.data(), block, 0) == static_cast<ssize_t>(block));
    CHECK(same(expected, in.span().first(block)));
}
