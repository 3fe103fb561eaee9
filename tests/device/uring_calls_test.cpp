// SPDX-License-Identifier: MIT
// What io_uring can do with requests on the node: registered files, a thread of the kernel that
// submits, chains and barriers, huge buffers, an end with everything in flight.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include "child.hpp"
#include "fixture.hpp"
#include "mapping.hpp"
#include "memory.hpp"
#include "ring.hpp"

namespace {

/// Writes and reads back by the file of index 0, with @p flags on each entry.
void check_moves(ring& uring, int file, unsigned char flags)
{
    const memory out(32), in(32);
    fill_random(out.span(), 521);
    const auto size = static_cast<unsigned>(out.size());
    REQUIRE(uring.run([&](auto* entry) {
        io_uring_prep_write(entry, file, out.data(), size, 0);
        entry->flags |= flags;
    }) == static_cast<int>(size));
    REQUIRE(uring.run([&](auto* entry) {
        io_uring_prep_read(entry, file, in.data(), size, 0);
        entry->flags |= flags;
    }) == static_cast<int>(size));
    CHECK(same(in.span(), out.span()));
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "a registered file serves requests, also after its descriptor was closed")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    ring uring;
    {
        const auto fd = open_node(GENERATE(0, O_DIRECT));
        const int file = fd.get();
        REQUIRE(io_uring_register_files(uring.get(), &file, 1) == 0);
    }
    check_moves(uring, 0, IOSQE_FIXED_FILE);
    // Unregistered with a request in flight: the request keeps its file.
    const setting latency("latency_us", "200000");
    const memory buffer(1);
    uring.submit([&](auto* entry) {
        io_uring_prep_read(entry, 0, buffer.data(), page_size, 0);
        entry->flags |= IOSQE_FIXED_FILE;
    });
    REQUIRE(io_uring_unregister_files(uring.get()) == 0);
    CHECK(uring.wait().result == 4096);
}

TEST_CASE_METHOD(device_fixture, "the kernel's own thread submits for a ring with SQPOLL")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const int file = fd.get();
    ring uring(32, IORING_SETUP_SQPOLL);
    check_moves(uring, file, 0);
    REQUIRE(io_uring_register_files(uring.get(), &file, 1) == 0);
    check_moves(uring, 0, IOSQE_FIXED_FILE);
}

TEST_CASE_METHOD(device_fixture, "linked requests run one after the other, and stop at a short one")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const setting latency("latency_us", GENERATE("0", "20000"));
    const auto fd = open_direct();
    const memory out(1), in(1);
    fill_random(out.span(), 522);
    ring uring;
    const auto chain = [&](std::uint64_t offset) {
        uring.prepare([&](auto* entry) {
            io_uring_prep_write(entry, fd.get(), out.data(), page_size, offset);
            entry->flags |= IOSQE_IO_LINK;
            io_uring_sqe_set_data64(entry, 0);
        });
        uring.prepare([&](auto* entry) {
            io_uring_prep_read(entry, fd.get(), in.data(), page_size, offset);
            entry->flags |= IOSQE_IO_LINK;
            io_uring_sqe_set_data64(entry, 1);
        });
        uring.prepare([&](auto* entry) {
            io_uring_prep_fsync(entry, fd.get(), 0);
            io_uring_sqe_set_data64(entry, 2);
        });
        REQUIRE(uring.try_submit() == 3);
        std::array<int, 3> results{};
        for (int i = 0; i < 3; i++) {
            const auto done = uring.wait();
            results.at(done.name) = done.result;
        }
        return results;
    };
    CHECK(chain(8192) == std::array{4096, 4096, 0});
    CHECK(same(in.span(), out.span()));
    // At the end of the device there is no space: what follows is not tried.
    CHECK(chain(attribute("size")) == std::array{-ENOSPC, -ECANCELED, -ECANCELED});
}

TEST_CASE_METHOD(device_fixture, "a drained request waits for all before it")
{
    const setting latency("latency_us", "100000");
    const auto fd = open_direct();
    const memory buffer(9);
    ring uring;
    for (std::size_t i = 0; i < 9; i++)
        uring.prepare([&](auto* entry) {
            io_uring_prep_read(entry, fd.get(), buffer.page(i), page_size, i * page_size);
            if (i == 8) entry->flags |= IOSQE_IO_DRAIN;
            io_uring_sqe_set_data64(entry, i);
        });
    REQUIRE(uring.try_submit() == 9);
    for (std::size_t i = 0; i < 9; i++) {
        const auto done = uring.wait();
        CHECK(done.result == 4096);
        CHECK((done.name == 8) == (i == 8));
    }
}

TEST_CASE_METHOD(device_fixture,
                 "a registered buffer that is one huge page is moved whole and in parts")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const huge_pages pool(2);
    const auto before = huge_pages::free();
    if (before < 2) SKIP("this machine has no huge pages to spare");
    {
        const auto fd = open_direct();
        const mapping out(huge_page_size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB),
            in(huge_page_size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
        fill_random(out.span(), 523);
        const std::array<iovec, 2> both{iovec{out.data(), huge_page_size},
                                        iovec{in.data(), huge_page_size}};
        const auto block = static_cast<std::size_t>(attribute("logical_block_size"));
        ring uring;
        REQUIRE(io_uring_register_buffers(uring.get(), both.data(), 2) == 0);
        struct part {
            std::size_t skip, length;
        };
        for (const auto& [skip, length] :
             {part{0, huge_page_size}, part{512, 4096}, part{huge_page_size - 4096, 4096},
              part{huge_page_size - block, block}, part{123 * page_size + 1024, 100 * page_size}}) {
            INFO(length << " bytes at " << skip);
            const auto count = static_cast<unsigned>(length);
            std::memset(in.data(), 0x5a, huge_page_size);
            REQUIRE(uring.run([&](auto* entry) {
                io_uring_prep_write_fixed(entry, fd.get(), out.data() + skip, count, 0, 0);
            }) == static_cast<int>(count));
            REQUIRE(uring.run([&](auto* entry) {
                io_uring_prep_read_fixed(entry, fd.get(), in.data() + skip, count, 0, 1);
            }) == static_cast<int>(count));
            CHECK(same(in.span().subspan(skip, length), out.span().subspan(skip, length)));
            CHECK(all_equal(in.span().first(skip), std::byte{0x5a}));
            CHECK(all_equal(in.span().subspan(skip + length), std::byte{0x5a}));
        }
    }
    CHECK(eventually([&] { return huge_pages::free() == before; }));
}

TEST_CASE_METHOD(device_fixture,
                 "a process ends with requests of every kind of ring in flight, and leaves nothing")
{
    const setting latency("latency_us", "2000000");
    const bool killed = GENERATE(true, false);
    const auto fd = open_direct();
    const pid_t child = in_child([&] {
        for (const unsigned flags : {0U, IORING_SETUP_SQPOLL, IORING_SETUP_IOPOLL,
                                     IORING_SETUP_SQPOLL | IORING_SETUP_IOPOLL}) {
            auto* uring = new ring(32, flags);  // never closed: the end of the process does it
            auto* buffer = new memory(8);
            for (std::size_t i = 0; i < 8; i++)
                uring->submit([&](auto* entry) {
                    if (i % 2 == 0)
                        io_uring_prep_read(entry, fd.get(), buffer->page(i), page_size, 0);
                    else
                        io_uring_prep_write(entry, fd.get(), buffer->page(i), page_size, 65536);
                });
        }
        if (killed) ::pause();
        ::_exit(0);
    });
    if (killed) {
        REQUIRE(eventually([] { return attribute("stats/in_flight") >= 16; }, 10));
        ::kill(child, SIGKILL);
    }
    const int status = wait_for(child, 15);
    CHECK((killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(eventually([] { return attribute("stats/in_flight") == 0; }, 15));
}
