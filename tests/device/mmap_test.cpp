// SPDX-License-Identifier: MIT
// Mappings of the device: the same cache as read and write.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>

#include "aio.hpp"
#include "cached.hpp"
#include "child.hpp"
#include "control.hpp"
#include "fault.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "scullpin/device.hpp"

TEST_CASE_METHOD(device_fixture, "a shared mapping, plain and direct I/O show the same bytes",
                 "[mmap]")
{
    const auto plain = open_node(), direct = open_direct();
    const view mapped(plain.get(), 4 * page_size);
    const memory out(4), in(4);
    for (std::uint64_t seed = 500; seed < 505; seed++) {
        fill_random(mapped.span(), seed);
        REQUIRE(::pread(plain.get(), in.data(), in.size(), 0) == 16384);
        REQUIRE(same(in.span(), mapped.span()));
        fill_random(mapped.span(), seed + 10);
        REQUIRE(::pread(direct.get(), in.data(), in.size(), 0) == 16384);
        REQUIRE(same(in.span(), mapped.span()));
        fill_random(out.span(), seed + 20);
        REQUIRE(::pwrite(plain.get(), out.data(), out.size(), 0) == 16384);
        REQUIRE(same(out.span(), mapped.span()));
        fill_random(out.span(), seed + 30);
        REQUIRE(::pwrite(direct.get(), out.data(), out.size(), 0) == 16384);
        REQUIRE(same(out.span(), mapped.span()));
    }
}

TEST_CASE_METHOD(device_fixture, "a private mapping keeps its changes to itself", "[mmap]")
{
    const auto fd = open_node();
    const memory out(1), in(1);
    fill_random(out.span(), 510);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == 4096);
    const view mapped(fd.get(), page_size, 0, MAP_PRIVATE);
    CHECK(same(mapped.span(), out.span()));
    std::memset(mapped.data(), 0, page_size);
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 0) == 4096);
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture, "only pages that were written to are written back, once", "[mmap]")
{
    const auto fd = open_node();
    const view mapped(fd.get(), 32 * page_size);
    for (std::size_t page = 0; page < 32; page++) (void)mapped.load(page * page_size);
    const gain written("cache_written");
    mapped.store(3 * page_size, std::byte{1});
    mapped.store(17 * page_size, std::byte{1});
    REQUIRE(::msync(mapped.data(), 32 * page_size, MS_SYNC) == 0);
    CHECK(written.value() == 2);
    REQUIRE(::msync(mapped.data(), 32 * page_size, MS_SYNC) == 0);
    CHECK(written.value() == 2);
    // The next store is a fault again.
    mapped.store(3 * page_size, std::byte{2});
    REQUIRE(::msync(mapped.data(), 32 * page_size, MS_SYNC) == 0);
    CHECK(written.value() == 3);
}

TEST_CASE_METHOD(device_fixture, "a mapping is populated, moved and inherited like that of a file",
                 "[mmap]")
{
    const auto fd = open_node();
    const gain filled("cache_read");
    std::byte* place = static_cast<std::byte*>(::mmap(
        nullptr, 8 * page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), 0));
    REQUIRE(place != MAP_FAILED);
    CHECK(filled.value() >= 8);
    place[5 * page_size] = std::byte{0x51};
    place = static_cast<std::byte*>(::mremap(place, 8 * page_size, 64 * page_size, MREMAP_MAYMOVE));
    REQUIRE(place != MAP_FAILED);
    CHECK(place[5 * page_size] == std::byte{0x51});
    place[63 * page_size] = std::byte{0x52};
    const pid_t child = in_child([&] {
        if (place[5 * page_size] != std::byte{0x51}) ::_exit(1);
        place[6 * page_size] = std::byte{0x53};
    });
    CHECK(wait_for(child, 20) == 0);
    CHECK(place[6 * page_size] == std::byte{0x53});
    std::byte seen{};
    REQUIRE(::pread(fd.get(), &seen, 1, 63 * page_size) == 1);
    CHECK(seen == std::byte{0x52});
    CHECK(::munmap(place, 64 * page_size) == 0);
}

TEST_CASE_METHOD(device_fixture, "past the end of the device a mapping is SIGBUS", "[mmap]")
{
    const auto fd = open_node();
    const auto size = attribute("size");
    const view mapped(fd.get(), 4 * page_size, size - page_size);
    CHECK(signal_of([&] { mapped.store(page_size - 1, std::byte{1}); }) == 0);
    CHECK(signal_of([&] { (void)mapped.load(page_size); }) == SIGBUS);
    CHECK(signal_of([&] { mapped.store(page_size, std::byte{1}); }) == SIGBUS);
}

TEST_CASE_METHOD(
    device_fixture,
    "a mapping shows the bytes at its offset, and however it grows none beyond the end", "[mmap]")
{
    const auto fd = open_node();
    const std::uint64_t size = attribute("size");
    const memory out(1);
    for (const std::uint64_t at :
         {std::uint64_t{0}, std::uint64_t{page_size}, size / 2, size - page_size}) {
        CAPTURE(at);
        fill_random(out.span(), 540 + at);
        REQUIRE(::pwrite(fd.get(), out.data(), page_size, static_cast<off_t>(at)) == page_size);
        CHECK(same(view(fd.get(), page_size, at).span(), out.span()));
    }
    const auto map = [&](std::size_t length, std::uint64_t at) {
        return ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd.get(), static_cast<off_t>(at));
    };
    for (const std::uint64_t at : {1, 512, 4095}) {
        CAPTURE(at);
        CHECK(map(page_size, at) == MAP_FAILED);
        CHECK(errno == EINVAL);
    }
    CHECK(map(2 * page_size, ~std::uint64_t{0} - page_size + 1) == MAP_FAILED);
    CHECK(errno == EOVERFLOW);
    for (const std::uint64_t at :
         {size, size + page_size, std::uint64_t{1} << 62, (std::uint64_t{1} << 63) - page_size}) {
        CAPTURE(at);
        const view beyond(fd.get(), page_size, at);
        CHECK(signal_of([&] { (void)beyond.load(0); }) == SIGBUS);
    }
    void* last = map(page_size, size - page_size);
    REQUIRE(last != MAP_FAILED);
    auto* grown =
        static_cast<volatile std::byte*>(::mremap(last, page_size, 3 * page_size, MREMAP_MAYMOVE));
    REQUIRE(grown != MAP_FAILED);
    CHECK(grown[0] == out.span()[0]);
    CHECK(signal_of([&] { (void)grown[page_size]; }) == SIGBUS);
    CHECK(::munmap(const_cast<std::byte*>(grown), 3 * page_size) == 0);
}

TEST_CASE_METHOD(device_fixture, "a node that is open for reading maps shared for reading only",
                 "[mmap]")
{
    const auto fd = scullpin::file_descriptor::open(node_path, O_RDONLY);
    CHECK(::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0) ==
          MAP_FAILED);
    CHECK(errno == EACCES);
    const view mapped(fd.get(), page_size, 0, MAP_SHARED, PROT_READ);
    CHECK(signal_of([&] { mapped.store(0, std::byte{1}); }) == SIGSEGV);
}

TEST_CASE_METHOD(device_fixture, "a discard is seen through a mapping", "[mmap]")
{
    const auto fd = open_node();
    const view mapped(fd.get(), 4 * page_size);
    std::memset(mapped.data(), 0x61, mapped.span().size());
    const auto node = scullpin::device::open(node_path, scullpin::access::read_write, false);
    node.discard(page_size, 2 * page_size);
    CHECK(all_equal(mapped.span().subspan(page_size, 2 * page_size), std::byte{0}));
    CHECK(all_equal(mapped.span().first(page_size), std::byte{0x61}));
    CHECK(all_equal(mapped.span().subspan(3 * page_size), std::byte{0x61}));
}

TEST_CASE_METHOD(device_fixture, "a store that waits while its page is discarded is not lost",
                 "[mmap]")
{
    discard_all();
    const auto fd = open_node();
    const auto node = scullpin::device::open(node_path, scullpin::access::read_write, false);
    const view mapped(fd.get(), 2 * page_size);
    std::memset(mapped.data(), 0x62, mapped.span().size());
    std::future<int> written;
    {
        // Long enough for both to be waiting on a slow machine.
        const setting latency("latency_us", "3000000");
        written = std::async(std::launch::async, ::fsync, fd.get());
        REQUIRE(eventually([] { return attribute("stats/in_flight") > 0; }));
    }
    std::array<std::atomic<pid_t>, 2> ids{};
    const auto asleep = [&](std::size_t which) {
        return eventually([&] { return state_of_thread(ids[which]) == 'D'; });
    };
    // Pages under write-back are not dropped before it ends: the discard waits, and keeps out who
    // begins to write to a mapped page.
    auto discarded = std::async(std::launch::async, [&] {
        ids[0] = static_cast<pid_t>(::gettid());
        node.discard(0, 2 * page_size);
    });
    CHECK(asleep(0));
    auto stored = std::async(std::launch::async, [&] {
        ids[1] = static_cast<pid_t>(::gettid());
        mapped.store(page_size + 7, std::byte{0x63});
    });
    CHECK(asleep(1));
    CHECK(attribute("stats/in_flight") > 0);
    stored.get();
    discarded.get();
    CHECK(written.get() == 0);
    CHECK(mapped.load(page_size + 7) == std::byte{0x63});
    CHECK(mapped.load(page_size) == std::byte{0});
    CHECK(all_equal(mapped.span().first(page_size), std::byte{0}));
    CHECK(::fsync(fd.get()) == 0);
    const memory in(1);
    REQUIRE(::pread(open_direct().get(), in.data(), in.size(), page_size) == 4096);
    CHECK(same(in.span(), mapped.span().subspan(page_size)));
}

TEST_CASE_METHOD(
    device_fixture,
    "the device's own mapping is the buffer of its direct I/O, over the same bytes too", "[mmap]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto plain = open_node(), direct = open_direct();
    constexpr std::size_t pages = 40, size = pages * page_size;
    const view mapped(plain.get(), 2 * size);
    aio context;
    const auto run = [&](int opcode, std::size_t from, std::size_t at) {
        return context.run(aio::request(direct.get(), opcode, mapped.data() + from, size, at));
    };
    const memory in(pages);
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        for (const std::size_t at : {std::size_t{0}, size, 3 * page_size}) {
            CAPTURE(at);
            fill_random(mapped.span(), 520 + at);
            const std::vector<std::byte> before(mapped.span().begin(), mapped.span().end());
            const std::span<const std::byte> source(before.data(), size);
            // Memory [0, size) to the device at `at`: the same bytes, others, or in part.
            REQUIRE((asynchronous
                         ? run(IOCB_CMD_PWRITE, 0, at)
                         : ::pwrite(direct.get(), mapped.data(), size, static_cast<off_t>(at))) ==
                    static_cast<std::int64_t>(size));
            if (at % size == 0) {
                CHECK(same(mapped.span().subspan(at, size), source));
                REQUIRE(::pread(direct.get(), in.data(), size, static_cast<off_t>(at)) ==
                        static_cast<ssize_t>(size));
                CHECK(same(in.span(), source));
            }
            // And back.
            REQUIRE((asynchronous
                         ? run(IOCB_CMD_PREAD, 0, at)
                         : ::pread(direct.get(), mapped.data(), size, static_cast<off_t>(at))) ==
                    static_cast<std::int64_t>(size));
            if (at % size == 0) CHECK(same(mapped.span().first(size), source));
        }
    }
    // Through the cache: the source of a write is the page that it is written to.
    fill_random(mapped.span(), 530);
    const std::vector<std::byte> before(mapped.data(), mapped.data() + page_size);
    REQUIRE(::pwrite(plain.get(), mapped.data(), page_size, 0) == 4096);
    CHECK(same(mapped.span().first(page_size), before));
    REQUIRE(::pread(plain.get(), mapped.data(), page_size, 0) == 4096);
    CHECK(same(mapped.span().first(page_size), before));
}

TEST_CASE_METHOD(device_fixture, "a store to a mapping without memory for the medium is SIGBUS",
                 "[.][fault][mmap]")
{
    discard_all();
    const auto fd = open_node();
    const view mapped(fd.get(), 2 * page_size);
    CHECK(signal_of([&] {
              const fault allocation("store_page", 1);
              mapped.store(0, std::byte{1});
          }) == SIGBUS);
    control::get().write("/sys/kernel/debug/scullpin/fault/store_page", "0");
    mapped.store(0, std::byte{0x71});
    CHECK(::msync(mapped.data(), page_size, MS_SYNC) == 0);
    CHECK(mapped.load(0) == std::byte{0x71});
}
