// SPDX-License-Identifier: MIT
// Callers of io_uring that change their mind: it takes back only what it has not given to the
// device, and completes each request once.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <thread>

#include "adversary.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ring.hpp"

TEST_CASE_METHOD(device_fixture,
                 "io_uring cancels nothing that the device has, and completes it once")
{
    const setting latency("latency_us", "200000");
    const auto fd = open_direct();
    const memory buffer(1);
    ring uring;
    uring.submit(
        [&](auto* entry) { io_uring_prep_read(entry, fd.get(), buffer.data(), page_size, 0); }, 1);
    uring.submit([](auto* entry) { io_uring_prep_cancel64(entry, 1, 0); }, 2);
    const auto first = uring.wait();
    CHECK(first.name == 2);
    CHECK((first.result == -ENOENT || first.result == -EALREADY));
    const auto second = uring.wait();
    CHECK(second.name == 1);
    CHECK(second.result == 4096);
    CHECK(!uring.poll());
}

TEST_CASE_METHOD(device_fixture, "a timeout of io_uring takes nothing back that the device has",
                 "[cancel]")
{
    const setting latency("latency_us", "500000");
    const auto fd = open_direct();
    const memory buffer(1);
    __kernel_timespec timeout{0, 10'000'000};
    ring uring;
    uring.prepare([&](auto* entry) {
        io_uring_prep_read(entry, fd.get(), buffer.data(), page_size, 0);
        entry->flags |= IOSQE_IO_LINK;
        io_uring_sqe_set_data64(entry, 0);
    });
    uring.prepare([&](auto* entry) {
        io_uring_prep_link_timeout(entry, &timeout, 0);
        io_uring_sqe_set_data64(entry, 1);
    });
    REQUIRE(uring.try_submit() == 2);
    std::array<int, 2> results{};
    for (int i = 0; i < 2; i++) {
        const auto done = uring.wait();
        results.at(done.name) = done.result;
    }
    CHECK(results[0] == 4096);
    CHECK((results[1] == -ENOENT || results[1] == -EALREADY));
}

TEST_CASE_METHOD(device_fixture,
                 "a storm of asynchronous cancellations loses and doubles no completion",
                 "[cancel][adversary]")
{
    const setting completion("completion", "deferred"), latency("latency_us", GENERATE("0", "500"));
    constexpr std::size_t depth = 32;
    constexpr std::uint64_t cancellation = 1000;
    const auto fd = open_direct();
    const memory buffer(depth);
    ring uring(1024);
    std::mutex submission;
    std::jthread canceller([&](const std::stop_token& stop) {
        for (std::uint64_t i = 0; !stop.stop_requested(); i++) {
            {
                const std::lock_guard held(submission);
                io_uring_sqe* entry = io_uring_get_sqe(uring.get());
                if (entry == nullptr) continue;
                io_uring_prep_cancel64(entry, i % depth, 0);
                entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
                io_uring_sqe_set_data64(entry, cancellation);
                uring.try_submit();
            }
            std::this_thread::yield();
        }
    });
    std::size_t submitted = 0, completed = 0, cancellations = 0, wrong = 0;
    for (const adversary_time time; time.left() && wrong == 0;) {
        for (std::size_t i = 0; i < depth; i++) {
            const std::lock_guard held(submission);
            io_uring_sqe* entry = io_uring_get_sqe(uring.get());
            if (entry == nullptr) continue;
            if (i % 2 == 0)
                io_uring_prep_read(entry, fd.get(), buffer.page(i), page_size, i * page_size);
            else
                io_uring_prep_write(entry, fd.get(), buffer.page(i), page_size, i * page_size);
            io_uring_sqe_set_data64(entry, i);
            uring.try_submit();
            submitted++;
        }
        std::array<std::size_t, depth> seen{};
        while (completed < submitted) {
            const auto done = uring.wait();
            if (done.name == cancellation) {
                cancellations++;
                wrong += done.result != -ENOENT && done.result != -EALREADY;
                continue;
            }
            completed++;
            wrong += done.result != 4096 && done.result != -ECANCELED;
            wrong += ++seen.at(done.name) != 1;
        }
    }
    canceller.request_stop();
    canceller.join();
    CHECK(wrong == 0);
    CHECK(completed == submitted);
    CHECK(submitted > depth);
    CHECK(cancellations > 0);
}
