// SPDX-License-Identifier: MIT
// Callers that change their mind: nothing can be taken back from this device, and each completion
// still comes exactly once.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>

#include "aio.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ring.hpp"

namespace {

/// io_setup, io_submit and io_cancel as they are, for what the helpers hide.
struct raw_aio {
    raw_aio() { REQUIRE(::syscall(SYS_io_setup, 64, &context) == 0); }
    ~raw_aio()
    {
        if (context != 0) ::syscall(SYS_io_destroy, context);
    }
    raw_aio(const raw_aio&) = delete;
    raw_aio& operator=(const raw_aio&) = delete;

    void submit(iocb& request)
    {
        iocb* pointer = &request;
        REQUIRE(::syscall(SYS_io_submit, context, 1, &pointer) == 1);
    }
    long cancel(iocb& request)
    {
        io_event event{};
        return ::syscall(SYS_io_cancel, context, &request, &event) != 0 ? -errno : 0;
    }
    std::size_t reap(std::span<io_event> events, time_t seconds)
    {
        timespec timeout{seconds, 0};
        const long got = ::syscall(SYS_io_getevents, context, seconds != 0 ? 1 : 0, events.size(),
                                   events.data(), &timeout);
        return static_cast<std::size_t>(std::max(got, 0L));
    }

    aio_context_t context = 0;
};

}  // namespace

TEST_CASE_METHOD(device_fixture, "io_cancel is refused, and the event comes all the same")
{
    const setting latency("latency_us", "200000");
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const memory buffer(1);
    raw_aio aio_calls;
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    aio_calls.submit(request);
    CHECK(aio_calls.cancel(request) == -EINVAL);
    std::array<io_event, 2> events{};
    REQUIRE(aio_calls.reap(events, 10) == 1);
    CHECK(events[0].res == 4096);
    CHECK(aio_calls.cancel(request) == -EINVAL);
    CHECK(aio_calls.reap(events, 0) == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "io_uring cancels nothing that the device has, and completes it once")
{
    const setting latency("latency_us", "200000");
    const auto fd = open_node(GENERATE(0, O_DIRECT));
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

TEST_CASE_METHOD(device_fixture, "io_destroy waits for what is in flight, and not longer")
{
    const setting latency("latency_us", "300000");
    const auto fd = open_direct();
    const memory buffer(16);
    const auto begin = std::chrono::steady_clock::now();
    {
        raw_aio aio_calls;
        for (std::size_t i = 0; i < 16; i++) {
            auto request =
                aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
            aio_calls.submit(request);
        }
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    CHECK(elapsed.count() >= 0.3);
    CHECK(elapsed.count() < 3);
    CHECK(attribute("stats/in_flight") == 0);
}

TEST_CASE_METHOD(device_fixture, "a storm of cancellations loses and doubles no completion")
{
    const setting completion("completion", "deferred"), latency("latency_us", GENERATE("0", "500"));
    constexpr std::size_t depth = 32;
    const auto fd = open_direct();
    const memory buffer(depth);
    raw_aio aio_calls;
    std::array<iocb, depth> requests{};
    for (std::size_t i = 0; i < depth; i++) {
        requests[i] =
            aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
        requests[i].aio_data = i;
    }
    std::atomic<bool> stop{false};
    std::thread canceller([&] {
        for (std::size_t i = 0; !stop; i++) aio_calls.cancel(requests[i % depth]);
    });
    std::size_t submitted = 0, completed = 0, wrong = 0;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (std::chrono::steady_clock::now() < deadline) {
        for (auto& request : requests) {
            aio_calls.submit(request);
            submitted++;
        }
        std::array<std::size_t, depth> seen{};
        std::array<io_event, depth> events{};
        while (completed < submitted) {
            const auto got = aio_calls.reap(events, 10);
            if (got == 0) break;
            for (const auto& event : std::span(events).first(got)) {
                wrong += event.res != 4096;
                wrong += ++seen[event.data] != 1;
            }
            completed += got;
        }
        if (completed != submitted) break;
    }
    stop = true;
    canceller.join();
    CHECK(wrong == 0);
    CHECK(completed == submitted);
    CHECK(submitted > depth);
}
