// SPDX-License-Identifier: MIT
// Several at once: what overlaps, what does not, and who keeps the position.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "fixture.hpp"
#include "memory.hpp"
#include "scullpin/device.hpp"
#include "ways.hpp"

using scullpin::direction;

TEST_CASE_METHOD(device_fixture, "overlapping direct transfers are atomic page by page", "[cpu]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    // The second is moved in several batches, whose ends meet in pages of the medium.
    const std::size_t pages = GENERATE(4, 48);
    const std::size_t length = pages * page_size;
    // A busy machine may need longer for reads enough.
    const auto begun = std::chrono::steady_clock::now();
    std::atomic<std::size_t> torn{0}, reads{0};
    const auto goes_on = [&] {
        const auto time = std::chrono::steady_clock::now() - begun;
        return time < std::chrono::seconds(reads > 10 ? 2 : 60);
    };
    const auto fd = open_direct();
    const auto writer = [&](std::byte value) {
        // Off page boundaries: two pieces of memory meet in each page of the medium.
        const memory buffer(pages + 1);
        buffer.fill(value);
        while (goes_on()) (void)!::pwrite(fd.get(), buffer.data() + 512, length, 0);
    };
    std::thread first(writer, std::byte{0xaa}), second(writer, std::byte{0x55});
    const memory buffer(pages + 1);
    REQUIRE(::pwrite(fd.get(), buffer.data(), length, 0) == static_cast<ssize_t>(length));
    while (goes_on()) {
        if (::pread(fd.get(), buffer.data() + 1024, length, 0) != static_cast<ssize_t>(length))
            break;
        for (std::size_t page = 0; page < pages; page++) {
            const auto* begin = buffer.data() + 1024 + page * page_size;
            torn += all_equal({begin, page_size}, *begin) ? 0 : 1;
        }
        reads++;
    }
    first.join();
    second.join();
    CHECK(torn == 0);
    CHECK(reads > 10);
}

TEST_CASE_METHOD(device_fixture,
                 "threads that share one position write records that are neither torn nor lost")
{
    constexpr std::size_t record = 512, each = 200;
    const auto fd = open_node();
    const auto writer = [&](char mark) {
        const std::vector<char> bytes(record, mark);
        for (std::size_t i = 0; i < each; i++) (void)!::write(fd.get(), bytes.data(), record);
    };
    std::thread first(writer, 'a'), second(writer, 'b');
    first.join();
    second.join();
    CHECK(::lseek(fd.get(), 0, SEEK_CUR) == 2 * each * record);
    std::size_t marks[2]{};
    std::vector<char> bytes(2 * each * record);
    REQUIRE(::pread(fd.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    for (std::size_t i = 0; i < 2 * each; i++) {
        const char mark = bytes[i * record];
        REQUIRE((mark == 'a' || mark == 'b'));
        marks[mark - 'a']++;
        CHECK(std::count(bytes.begin() + static_cast<long>(i * record),
                         bytes.begin() + static_cast<long>((i + 1) * record), mark) == record);
    }
    CHECK(marks[0] == each);
    CHECK(marks[1] == each);
}

TEST_CASE_METHOD(device_fixture, "random operations of every kind agree with a model in memory")
{
    const setting completion("completion", GENERATE("auto", "inline", "deferred"));
    const std::uint64_t seed = 20261 + Catch::getSeed();
    INFO("seed " << seed);
    std::mt19937_64 generator(seed);
    const auto pick = [&](std::size_t below) {
        return static_cast<std::size_t>(generator() % below);
    };
    constexpr std::size_t area = 2 << 20;
    const auto block = static_cast<std::size_t>(attribute("logical_block_size"));
    const auto align = static_cast<std::size_t>(attribute("dma_alignment"));
    discard_all();
    std::vector<std::byte> model(area);
    const auto direct = open_direct(), plain = open_node();
    const auto node = scullpin::device::open(node_path, scullpin::access::read_write, false);
    const memory buffer(area / page_size / 4 + 2);
    for (int step = 0; step < 1500; step++) {
        const bool is_direct = pick(2) == 0;
        const std::size_t unit = is_direct ? block : 1;
        const std::size_t offset = pick(area / unit) * unit;
        const std::size_t largest =
            std::min(area - offset, pick(4) == 0 ? area / 4 : 4 * page_size);
        const std::size_t length = std::max(unit, pick(largest / unit + 1) * unit);
        const auto bytes =
            buffer.span().subspan(is_direct ? pick(512 / align + 1) * align : pick(512), length);
        const auto& way = all_ways()[pick(all_ways().size())];
        const int fd = is_direct ? direct.get() : plain.get();
        INFO("step " << step << ": " << way.name << (is_direct ? " direct " : " plain ") << length
                     << " at " << offset);
        const auto kind = pick(20);
        const auto expected = std::span(model).subspan(offset, length);
        if (kind == 0) {
            const auto begin = offset / block * block,
                       end = (offset + length + block - 1) / block * block;
            node.discard(begin, end - begin);
            std::fill_n(model.begin() + static_cast<long>(begin), end - begin, std::byte{0});
        } else if (kind < 10) {
            fill_random(bytes, generator());
            REQUIRE(way.run(fd, direction::write, bytes, offset) ==
                    static_cast<std::int64_t>(length));
            std::copy(bytes.begin(), bytes.end(), expected.begin());
        } else {
            REQUIRE(way.run(fd, direction::read, bytes, offset) ==
                    static_cast<std::int64_t>(length));
            REQUIRE(same(bytes, expected));
        }
    }
}
