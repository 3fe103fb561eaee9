// SPDX-License-Identifier: MIT
// Callers of libaio that change their mind: a request that waits is taken back, and every request
// has exactly one event.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "adversary.hpp"
#include "aio.hpp"
#include "child.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "raw_aio.hpp"

namespace {

/// Longer than any test: what ends meanwhile was taken back.
constexpr const char* for_ever = "30000000";

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "io_cancel takes back a request that waits, and its one event says so", "[cancel]")
{
    const setting latency("latency_us", for_ever);
    const auto fd = open_direct();
    const memory buffer(1);
    buffer.fill(std::byte{0x5a});
    const int opcode = GENERATE(int{IOCB_CMD_PREAD}, int{IOCB_CMD_PWRITE});
    const gain cancelled("cancelled");
    const raw_aio calls;
    auto request = aio::request(fd.get(), opcode, buffer.data(), page_size, 0);
    request.aio_data = 77;
    calls.submit(request);
    CHECK(calls.cancel(request) == -EINPROGRESS);
    std::array<io_event, 2> events{};
    REQUIRE(calls.reap(events, 10) == 1);
    CHECK(events[0].res == -ECANCELED);
    CHECK(events[0].data == 77);
    CHECK(cancelled.value() == 1);
    CHECK(all_equal(buffer.span(), std::byte{0x5a}));
    // It is gone: there is nothing to cancel, and no second event.
    CHECK(calls.cancel(request) == -EINVAL);
    CHECK(calls.reap(events, 0) == 0);
}

TEST_CASE_METHOD(device_fixture, "a request that was taken back wrote nothing", "[cancel]")
{
    const auto fd = open_direct();
    const memory before(4), after(4);
    fill_random(before.span(), 501);
    REQUIRE(::pwrite(fd.get(), before.data(), before.size(), 0) ==
            static_cast<ssize_t>(before.size()));
    {
        const setting latency("latency_us", for_ever);
        const memory other(4);
        const raw_aio calls;
        auto request = aio::request(fd.get(), IOCB_CMD_PWRITE, other.data(), other.size(), 0);
        calls.submit(request);
        REQUIRE(calls.cancel(request) == -EINPROGRESS);
        std::array<io_event, 1> events{};
        REQUIRE(calls.reap(events, 10) == 1);
    }
    REQUIRE(::pread(fd.get(), after.data(), after.size(), 0) == static_cast<ssize_t>(after.size()));
    CHECK(same(before.span(), after.span()));
}

TEST_CASE_METHOD(device_fixture, "of many requests io_cancel takes back the one that is meant",
                 "[cancel]")
{
    const setting latency("latency_us", "1500000");
    constexpr std::size_t depth = 16;
    const auto fd = open_direct();
    const memory buffer(depth);
    const raw_aio calls;
    std::array<iocb, depth> requests{};
    for (std::size_t i = 0; i < depth; i++) {
        requests[i] =
            aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
        requests[i].aio_data = i;
        calls.submit(requests[i]);
    }
    REQUIRE(calls.cancel(requests[5]) == -EINPROGRESS);
    std::array<io_event, depth> events{};
    std::array<std::int64_t, depth> results{};
    for (std::size_t got = 0; got < depth;) {
        const auto more = calls.reap(events, 10);
        REQUIRE(more > 0);
        for (std::size_t i = 0; i < more; i++) results[events[i].data] = events[i].res;
        got += more;
    }
    for (std::size_t i = 0; i < depth; i++) CHECK(results[i] == (i == 5 ? -ECANCELED : 4096));
}

TEST_CASE_METHOD(device_fixture, "io_destroy takes back what waits instead of waiting for it",
                 "[cancel]")
{
    const setting latency("latency_us", for_ever);
    const auto fd = open_direct();
    const memory buffer(16);
    const auto begin = std::chrono::steady_clock::now();
    {
        const raw_aio calls;
        for (std::size_t i = 0; i < 16; i++) {
            auto request =
                aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
            calls.submit(request);
        }
        CHECK(attribute("stats/in_flight") == 16);
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    CHECK(elapsed.count() < 10);
    CHECK(attribute("stats/in_flight") == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "a process ends at once, however long its libaio requests would have taken",
                 "[cancel]")
{
    const setting latency("latency_us", for_ever);
    const bool killed = GENERATE(true, false);
    const auto fd = open_direct();
    const pid_t child = in_child([&] {
        const raw_aio calls;
        const memory buffer(16);
        for (std::size_t i = 0; i < 16; i++) {
            auto request = aio::request(fd.get(), i % 2 == 0 ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
                                        buffer.page(i), page_size, i * page_size);
            if (calls.try_submit(request) != 1) ::_exit(1);
        }
        if (killed) ::pause();
        ::_exit(0);
    });
    if (killed) {
        REQUIRE(eventually([] { return attribute("stats/in_flight") == 16; }, 10));
        ::kill(child, SIGKILL);
    }
    const int status = wait_for(child, 15);
    CHECK((killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0));
    CHECK(eventually([] { return attribute("stats/in_flight") == 0; }, 15));
}

TEST_CASE_METHOD(device_fixture, "a storm of cancellations loses and doubles no completion",
                 "[cancel][adversary][cancel-storm]")
{
    const setting completion("completion", "deferred"), latency("latency_us", GENERATE("0", "500"));
    constexpr std::size_t depth = 32;
    const auto fd = open_direct();
    const memory buffer(depth);
    const raw_aio calls;
    std::array<iocb, depth> requests{};
    for (std::size_t i = 0; i < depth; i++) {
        requests[i] = aio::request(fd.get(), i % 4 < 2 ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
                                   buffer.page(i), page_size, i * page_size);
        requests[i].aio_data = i;
    }
    std::atomic<std::size_t> wrong_answers{0}, in_progress{0};
    std::jthread canceller([&](const std::stop_token& stop) {
        std::mt19937 random(7);
        while (!stop.stop_requested()) {
            // Only every other one: the rest completes by itself.
            const long answer = calls.cancel(requests[random() % (depth / 2) * 2]);
            if (answer == -EINPROGRESS)
                in_progress++;
            else if (answer != -EINVAL && answer != -EAGAIN)
                wrong_answers++;
        }
    });
    std::size_t submitted = 0, completed = 0, taken_back = 0, wrong = 0;
    for (const adversary_time time; time.left();) {
        for (auto& request : requests) {
            calls.submit(request);
            submitted++;
        }
        std::array<std::size_t, depth> seen{};
        std::array<io_event, depth> events{};
        while (completed < submitted) {
            const auto got = calls.reap(events, 10);
            if (got == 0) break;
            for (const auto& event : std::span(events).first(got)) {
                const bool back = event.res == -ECANCELED;
                taken_back += back;
                wrong += !back && event.res != 4096;
                wrong += back && event.data % 2 != 0;
                wrong += ++seen[event.data] != 1;
            }
            completed += got;
        }
        if (completed != submitted) break;
    }
    canceller.request_stop();
    canceller.join();
    CHECK(wrong == 0);
    CHECK(wrong_answers == 0);
    CHECK(completed == submitted);
    CHECK(submitted > depth);
    // What is found to have moved whole is no error, whoever ends the request.
    CHECK((moves_by_dma() ? taken_back <= in_progress : taken_back == in_progress));
    std::array<io_event, 1> events{};
    CHECK(calls.reap(events, 0) == 0);
    INFO(submitted << " submitted, " << taken_back << " taken back");
    if (attribute("latency_us") != 0) CHECK(taken_back > 0);
    CHECK(completed > taken_back);
}
