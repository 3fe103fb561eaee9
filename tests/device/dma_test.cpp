// SPDX-License-Identifier: MIT
// The engine that lets a DMA controller copy, on QEMU's edu through our own provider. Hidden: needs
// engine=dma and that controller, which takes 200 ms for 2 KiB.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <optional>
#include <utility>

#include "aio.hpp"
#include "child.hpp"
#include "edu.hpp"
#include "fixture.hpp"
#include "folder.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;

constexpr std::size_t sector = 512;

namespace {

/// So many reads, each of so many pages, of a controller that answers none.
void check_dead_controller(std::size_t depth, std::size_t pages)
{
    std::optional<setting> deadline(std::in_place, "deadline_ms", "2000");
    const auto fd = device_fixture::open_direct();
    const memory buffer(depth * pages);
    const gain timed_out("timed_out");
    aio context(static_cast<unsigned>(depth));
    const edu_parameter late("late_ms", 3'600'000);
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < depth; i++) {
        auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i * pages),
                                    pages * page_size, i * pages * page_size);
        REQUIRE(context.submit(request) == 1);
    }
    // Whoever is in flight keeps the deadline that it began with.
    deadline.reset();
    for (const auto& event : context.wait(depth, 60.0)) CHECK(event.res == -ETIMEDOUT);
    // One a request would be 30 seconds at least.
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(13));
    CHECK(timed_out.value() == depth);
}

}  // namespace

TEST_CASE_METHOD(device_fixture, "by DMA every way in and every way out gives identical bytes",
                 "[.][dma]")
{
    const auto fd = open_direct();
    const memory out(2), in(2);
    std::uint64_t seed = 700;
    for (const auto& way : all_ways()) {
        CAPTURE(way.name);
        fill_random(out.span(), seed++);
        in.fill(std::byte{0});
        CHECK(way.run(fd.get(), direction::write, out.span(), 3 * sector) == 2 * page_size);
        CHECK(way.run(fd.get(), direction::read, in.span(), 3 * sector) == 2 * page_size);
        CHECK(same(in.span(), out.span()));
    }
}

TEST_CASE_METHOD(device_fixture, "what was written by DMA is read plainly, and the other way round",
                 "[.][dma]")
{
    const auto direct = open_direct(), plain = open_node();
    const memory out(1), in(1);
    fill_random(out.span(), 720);
    CHECK(::pwrite(direct.get(), out.data(), page_size, 0) == page_size);
    CHECK(::pread(plain.get(), in.data(), page_size, 0) == page_size);
    CHECK(same(in.span(), out.span()));
    fill_random(out.span(), 721);
    CHECK(::pwrite(plain.get(), out.data(), page_size, 0) == page_size);
    CHECK(::pread(direct.get(), in.data(), page_size, 0) == page_size);
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture, "DMA touches no byte beside its destination", "[.][dma]")
{
    const auto fd = open_direct();
    const memory out(1), in(3);
    fill_random(out.span(), 730);
    CHECK(::pwrite(fd.get(), out.data(), page_size, 0) == page_size);
    const std::size_t at = GENERATE(std::size_t{4}, page_size - 4, page_size + 1020);
    in.fill(std::byte{0x5a});
    CHECK(::pread(fd.get(), in.data() + at, sector, sector) == sector);
    CHECK(same({in.data() + at, sector}, out.span().subspan(sector, sector)));
    const std::span<const std::byte> all = in.span();
    CHECK(all_equal(all.first(at), std::byte{0x5a}));
    CHECK(all_equal(all.subspan(at + sector), std::byte{0x5a}));
}

TEST_CASE_METHOD(device_fixture, "a DMA transfer ends exactly where the controller has failed",
                 "[.][dma]")
{
    const auto fd = open_direct();
    const memory buffer(3);
    buffer.fill(std::byte{0x77});
    REQUIRE(::pwrite(fd.get(), buffer.data(), buffer.size(), 0) ==
            static_cast<ssize_t>(buffer.size()));
    buffer.fill(std::byte{0x5a});
    // The controller moves chunks of 2 KiB, and tells how many it has moved.
    constexpr std::size_t chunk_bytes = 2048;
    const unsigned chunk = GENERATE(1u, 2u, 3u, 5u, 6u);
    const std::size_t before = (chunk - 1) * chunk_bytes;
    const edu_parameter fail("fail", chunk);
    const auto moved = ::pread(fd.get(), buffer.data(), buffer.size(), 0);
    CHECK(moved == (before != 0 ? static_cast<ssize_t>(before) : -1));
    if (moved < 0) CHECK(errno == EIO);
    CHECK(all_equal(buffer.span().first(before), std::byte{0x77}));
    // What was not moved is as it was, also where a bounce lies between; what is behind it is
    // another descriptor's, which may have ended well.
    CHECK(all_equal(buffer.span().subspan(before, chunk_bytes), std::byte{0x5a}));
    for (const auto byte : buffer.span().subspan(before))
        if (byte != std::byte{0x5a} && byte != std::byte{0x77}) FAIL("bytes of nobody");
    CHECK(fail.value() == 0);
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == page_size);
}

TEST_CASE_METHOD(device_fixture,
                 "one lost interrupt among eight DMA requests: seven succeed, one times out",
                 "[.][dma]")
{
    const setting deadline("deadline_ms", "2000");
    const auto fd = open_direct();
    constexpr std::size_t depth = 8;
    const memory out(depth), in(depth);
    fill_random(out.span(), 740);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    const gain timed_out("timed_out");
    const edu_parameter lose("lose", 7);  // the second chunk's way in, of the second request
    aio context(depth);
    std::array<iocb, depth> requests{};
    for (std::size_t i = 0; i < depth; i++) {
        requests[i] = aio::request(fd.get(), IOCB_CMD_PREAD, in.page(i), page_size, i * page_size);
        requests[i].aio_data = i;
        REQUIRE(context.submit(requests[i]) == 1);
    }
    for (const auto& event : context.wait(depth)) {
        CAPTURE(event.data);
        CHECK(event.res == (event.data == 1 ? -ETIMEDOUT : static_cast<std::int64_t>(page_size)));
        if (event.res > 0)
            CHECK(same({in.page(event.data), page_size},
                       out.span().subspan(event.data * page_size, page_size)));
    }
    CHECK(lose.value() == 0);
    CHECK(timed_out.value() == 1);
    CHECK(::pread(fd.get(), in.data(), page_size, 0) == page_size);
}

TEST_CASE_METHOD(device_fixture,
                 "a dead controller ends all that it has after three deadlines, not one a request",
                 "[.][dma]")
{
    // Many more than there are bounces: who waits for one is among them.
    check_dead_controller(24, 1);
}

TEST_CASE_METHOD(device_fixture,
                 "who waits for room of a dead controller does not wait a deadline each",
                 "[.][dma]")
{
    // Only swiotlb is small enough: two of them fill it; the others wait, the last ones without
    // having tried.
    if (edu_reach() == "swiotlb") check_dead_controller(15, 48);
}

TEST_CASE_METHOD(device_fixture, "a long descriptor is not a silent controller", "[.][dma]")
{
    const setting deadline("deadline_ms", "1000");
    const memory buffer(8);
    const auto fd = open_direct();
    // 3.2 seconds; behind an IOMMU it is one descriptor.
    CHECK(::pread(fd.get(), buffer.data(), buffer.size(), 0) ==
          static_cast<ssize_t>(buffer.size()));
}

TEST_CASE_METHOD(device_fixture, "late interrupts of the controller delay and lose nothing",
                 "[.][dma]")
{
    const edu_parameter late("late_ms", 50);
    const auto fd = open_direct();
    const memory out(1), in(1);
    fill_random(out.span(), 750);
    CHECK(::pwrite(fd.get(), out.data(), page_size, 0) == page_size);
    CHECK(::pread(fd.get(), in.data(), page_size, 0) == page_size);
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture, "a process that is killed while it waits for DMA ends soon",
                 "[.][dma]")
{
    const gain deferred("requests_deferred"), cancelled("cancelled");
    const pid_t child = in_child([] {
        const auto fd = open_direct();
        const memory buffer(64);
        (void)!::pread(fd.get(), buffer.data(), buffer.size(), 0);
    });
    REQUIRE(eventually([&] { return deferred.value() == 1; }));
    ::kill(child, SIGKILL);
    // Its whole transfer takes 25 seconds.
    CHECK(WIFSIGNALED(wait_for(child, 3.0)));
    CHECK(eventually([&] { return cancelled.value() == 1; }));
}

TEST_CASE_METHOD(device_fixture,
                 "a process that is killed costs the other DMA requests no descriptor twice",
                 "[.][dma]")
{
    const auto fd = open_direct();
    const memory buffer(3);
    buffer.fill(std::byte{0});
    const gain deferred("requests_deferred"), descriptors("dma_descriptors");
    const auto before = edu_moves();
    aio context(1);
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), buffer.size(), 0);
    REQUIRE(context.submit(request) == 1);
    REQUIRE(eventually([&] { return descriptors.value() > 0; }));
    const auto own = descriptors.value();
    const pid_t child = in_child([] {
        const memory other(1);
        (void)!::pread(open_direct().get(), other.data(), other.size(), 0);
    });
    REQUIRE(eventually([&] { return deferred.value() == 2; }));
    // A page is four moves.
    REQUIRE(eventually([&] { return edu_moves() - before >= 9; }));
    ::kill(child, SIGKILL);
    CHECK(WIFSIGNALED(wait_for(child, 3.0)));
    CHECK(context.wait(1, 10.0).front().res == static_cast<std::int64_t>(buffer.size()));
    // That which ran begins again; a move of it had to be waited for.
    CHECK(edu_moves() - before <= 12 + 12 / own + 1);
}

TEST_CASE_METHOD(
    device_fixture,
    "a controller that leaves under load ends its requests with ENODEV, also later ones",
    "[.][dma-removal]")
{
    const auto fd = open_direct(), cached = open_node();
    constexpr std::size_t depth = 8;
    const memory buffer(depth);
    REQUIRE(::pread(cached.get(), buffer.data(), page_size, 0) == page_size);
    aio context(depth);
    std::array<iocb, depth> requests{};
    for (std::size_t i = 0; i < depth; i++) {
        requests[i] =
            aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
        REQUIRE(context.submit(requests[i]) == 1);
    }
    REQUIRE(std::ofstream(edu_path() + "/remove") << 1 << std::flush);
    std::size_t refused = 0;
    for (const auto& event : context.wait(depth)) {
        CHECK((event.res == -ENODEV || event.res == static_cast<std::int64_t>(page_size)));
        refused += event.res == -ENODEV;
    }
    CHECK(refused > 0);
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == -1);
    CHECK(errno == ENODEV);
    // What does not need the controller goes on: it was cached before.
    CHECK(::pread(cached.get(), buffer.data(), page_size, 0) == page_size);
    constexpr off_t never_read = 64 << 20;
    CHECK(::pread(cached.get(), buffer.data(), page_size, never_read) == -1);
    CHECK(errno == EIO);
}

TEST_CASE_METHOD(folder_fixture, "a device of configfs takes a channel, and gives it back",
                 "[.][dma-configfs]")
{
    const folder::settings by_dma{{"size", "1M"}, {"engine", "dma"}};
    const memory out(4), in(1);
    // The second round shows that the first has left the channel.
    for (std::uint64_t round = 0; round < 2; round++) {
        folder device("copier", by_dma);
        // It comes back with the release of its last device, which debug kernels put off.
        REQUIRE(eventually([&] { return device.power(true) == 0; }, 20.0));
        const auto fd = device.open(O_DIRECT);
        fill_random(out.span(), 740 + round);
        const auto before = edu_moves();
        CHECK(::pwrite(fd.get(), out.data(), page_size, 0) == page_size);
        CHECK(::pread(fd.get(), in.data(), page_size, 0) == page_size);
        CHECK(same(in.span(), {out.page(0), page_size}));
        CHECK(edu_moves() - before >= 8);
        // There is one channel, and it is taken.
        folder other("waiter", by_dma);
        CHECK(other.power(true) == -ENODEV);
        aio context;
        std::array<iocb, 4> requests{};
        for (std::size_t i = 0; i < requests.size(); i++) {
            requests[i] =
                aio::request(fd.get(), IOCB_CMD_PWRITE, out.page(i), page_size, i * page_size);
            REQUIRE(context.submit(requests[i]) == 1);
        }
        REQUIRE(device.remove() == 0);
        std::size_t refused = 0;
        for (const auto& event : context.wait(requests.size())) {
            CHECK((event.res == -ENODEV || event.res == static_cast<std::int64_t>(page_size)));
            refused += event.res == -ENODEV;
        }
        CHECK(refused > 0);
    }
}
