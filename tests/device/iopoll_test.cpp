// SPDX-License-Identifier: MIT
// Rings with IOPOLL: who asks for a completion gets it, and nobody else is told.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "adversary.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ring.hpp"

namespace {

auto read_page(int fd, const memory& buffer, std::size_t page)
{
    return [=, data = buffer.page(page)](io_uring_sqe* entry) {
        io_uring_prep_read(entry, fd, data, page_size, page * page_size);
    };
}

}  // namespace

TEST_CASE_METHOD(device_fixture, "polled transfers of every kind move the same bytes", "[iopoll]")
{
    const setting completion("completion", GENERATE("auto", "inline", "deferred"));
    const unsigned flags = GENERATE(0U, unsigned{IORING_SETUP_SQPOLL});
    const auto fd = open_direct();
    const memory out(64), in(64);
    fill_random(out.span(), 541);
    const auto size = static_cast<unsigned>(out.size());
    ring uring(32, IORING_SETUP_IOPOLL | flags);
    CHECK(uring.run([&](auto* entry) {
        io_uring_prep_write(entry, fd.get(), out.data(), size, 0);
    }) == static_cast<int>(size));
    CHECK(uring.run([&](auto* entry) {
        io_uring_prep_read(entry, fd.get(), in.data(), size, 0);
    }) == static_cast<int>(size));
    CHECK(same(in.span(), out.span()));
    in.fill(std::byte{0x5a});
    uring.register_buffer(in.span());
    CHECK(uring.run([&](auto* entry) {
        io_uring_prep_read_fixed(entry, fd.get(), in.page(1), 2 * page_size, page_size, 0);
    }) == 2 * page_size);
    CHECK(same({in.page(1), 2 * page_size}, {out.page(1), 2 * page_size}));
    CHECK(uring.run([&](auto* entry) {
        io_uring_prep_write(entry, fd.get(), out.data(), page_size, attribute("size"));
    }) == -ENOSPC);
    CHECK(uring.run([&](auto* entry) {
        io_uring_prep_read(entry, fd.get(), out.data(), 100, 0);
    }) == -EINVAL);
}

TEST_CASE_METHOD(device_fixture,
                 "a polled request that has ended holds no page, and only who polls is told",
                 "[iopoll]")
{
    const setting latency("latency_us", "100000");
    const auto fd = open_direct();
    const memory buffer(4);
    const gain released("pages_released"), completed("requests_completed");
    ring uring(8, IORING_SETUP_IOPOLL);
    // All at once: a submission looks for completions, too.
    for (std::size_t i = 0; i < 4; i++) uring.prepare(read_page(fd.get(), buffer, i));
    REQUIRE(uring.try_submit() == 4);
    REQUIRE(eventually([&] { return released.value() == 4; }, 10));
    CHECK(attribute("stats/in_flight") == 4);
    CHECK(completed.value() == 0);
    CHECK(io_uring_cq_ready(uring.get()) == 0);
    // No engine, worker or timer is needed any more: one look finds all.
    REQUIRE(io_uring_get_events(uring.get()) == 0);
    CHECK(io_uring_cq_ready(uring.get()) == 4);
    for (int i = 0; i < 4; i++) CHECK(uring.wait().result == 4096);
    CHECK(attribute("stats/in_flight") == 0);
}

TEST_CASE_METHOD(device_fixture, "who waits for a polled request waits until it has ended",
                 "[iopoll]")
{
    const setting latency("latency_us", "50000");
    const auto fd = open_direct();
    const memory buffer(8);
    ring uring(8, IORING_SETUP_IOPOLL);
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < 8; i++) uring.submit(read_page(fd.get(), buffer, i), i);
    for (int i = 0; i < 8; i++) CHECK(uring.wait().result == 4096);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    CHECK(elapsed.count() >= 0.05);
}

TEST_CASE_METHOD(device_fixture, "a request can be polled for only with O_DIRECT", "[iopoll]")
{
    const memory buffer(1);
    ring uring(8, IORING_SETUP_IOPOLL);
    CHECK(uring.run(read_page(open_node().get(), buffer, 0)) == -EOPNOTSUPP);
}

TEST_CASE_METHOD(device_fixture, "a ring that is closed unpolled leaves nothing", "[iopoll]")
{
    const setting latency("latency_us", GENERATE("0", "200000"));
    const setting completion("completion", "deferred");
    const auto fd = open_direct();
    const memory buffer(16);
    {
        ring uring(32, IORING_SETUP_IOPOLL);
        for (std::size_t i = 0; i < 16; i++) uring.submit(read_page(fd.get(), buffer, i), i);
    }
    CHECK(eventually([] { return attribute("stats/in_flight") == 0; }, 15));
}

TEST_CASE_METHOD(device_fixture, "polled requests beyond the cap wait for it elsewhere", "[iopoll]")
{
    const setting cap("max_pinned", "64k"), latency("latency_us", "2000");
    const auto fd = open_direct();
    constexpr std::size_t requests = 8, pages = 8;
    const memory buffer(requests * pages);
    ring uring(32, IORING_SETUP_IOPOLL);
    for (std::size_t i = 0; i < requests; i++)
        uring.submit(
            [&](auto* entry) {
                io_uring_prep_read(entry, fd.get(), buffer.page(i * pages), pages * page_size, 0);
            },
            i);
    for (std::size_t i = 0; i < requests; i++) CHECK(uring.wait().result == pages * page_size);
}

TEST_CASE_METHOD(device_fixture,
                 "rings that poll the same device get each its own completions, once",
                 "[iopoll][adversary]")
{
    const setting completion("completion", "deferred"), latency("latency_us", GENERATE("0", "200"));
    constexpr std::size_t depth = 16;
    const auto fd = open_direct();
    std::atomic<std::size_t> wrong{0}, completed{0};
    std::array<std::jthread, 2> pollers;
    for (auto& poller : pollers)
        poller = std::jthread([&] {
            // Each submits what it polls for: no assertion may throw here.
            io_uring uring{};
            if (io_uring_queue_init(depth, &uring, IORING_SETUP_IOPOLL) != 0) {
                wrong++;
                return;
            }
            const memory buffer(depth);
            for (const adversary_time time; time.left() && wrong == 0;) {
                std::array<unsigned, depth> seen{};
                for (std::size_t i = 0; i < depth; i++) {
                    auto* entry = io_uring_get_sqe(&uring);
                    read_page(fd.get(), buffer, i)(entry);
                    io_uring_sqe_set_data64(entry, i);
                }
                wrong += io_uring_submit(&uring) != depth;
                for (std::size_t i = 0; i < depth; i++) {
                    io_uring_cqe* entry = nullptr;
                    if (io_uring_wait_cqe(&uring, &entry) != 0) {
                        wrong++;
                        break;
                    }
                    wrong += entry->res != 4096 || ++seen.at(entry->user_data) != 1;
                    io_uring_cqe_seen(&uring, entry);
                    completed++;
                }
            }
            io_uring_queue_exit(&uring);
        });
    for (auto& poller : pollers) poller.join();
    CHECK(wrong == 0);
    CHECK(completed > 0);
}
