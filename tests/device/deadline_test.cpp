// SPDX-License-Identifier: MIT
// An engine that is silent: every request ends in bounded time, and the device works afterwards.
// Hidden: needs a module with fault points.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "aio.hpp"
#include "child.hpp"
#include "fault.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point begin)
{
    return std::chrono::duration<double>(clock_type::now() - begin).count();
}

/// Deferred requests, and a deadline of a second: the answer may come a quarter late.
struct impatient_device {
    setting completion{"completion", "deferred"};
    setting deadline{"deadline_ms", "1000"};
};

void check_answers_in_time(clock_type::time_point begin)
{
    CHECK(seconds_since(begin) >= 1.0);
    // A busy machine may wake nobody for a while; without a deadline it would be for ever.
    CHECK(seconds_since(begin) < 8.0);
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "a request that the engine never answers ends with ETIMEDOUT in bounded time",
                 "[.][fault]")
{
    const impatient_device device;
    const setting latency("latency_us", GENERATE("0", "50000"));
    const auto dir = GENERATE(direction::read, direction::write);
    const auto fd = open_direct();
    const memory buffer(4);
    for (const auto& way : all_ways()) {
        CAPTURE(way.name);
        const gain timed_out("timed_out");
        const fault lost("engine_lost", 1);
        const auto begin = clock_type::now();
        CHECK(way.run(fd.get(), dir, buffer.span(), 0) == -ETIMEDOUT);
        check_answers_in_time(begin);
        CHECK(lost.fired());
        CHECK(timed_out.value() == 1);
        CHECK(way.run(fd.get(), dir, buffer.span(), 0) == static_cast<std::int64_t>(buffer.size()));
    }
}

TEST_CASE_METHOD(device_fixture, "a deadline is a quarter late at most, by the clock of the device",
                 "[.][fault]")
{
    const setting completion("completion", "deferred"), deadline("deadline_ms", "4000");
    const auto fd = open_direct();
    const memory buffer(4);
    const fault lost("engine_lost", 1);
    REQUIRE(::pread(fd.get(), buffer.data(), buffer.size(), 0) == -1);
    REQUIRE(errno == ETIMEDOUT);
    const auto silent = static_cast<double>(of_last_ended("engine_ns")) / 1e9;
    CHECK(silent >= 4.0);
    // A quarter is 5; the rest is for a machine that lets the worker wait.
    CHECK(silent < 6.0);
}

TEST_CASE_METHOD(device_fixture, "an answer that comes after the deadline changes nothing",
                 "[.][fault]")
{
    const impatient_device device;
    const auto fd = open_direct();
    aio context;
    for (int round = 0; round < 3; round++) {
        memory buffer(4);
        const fault late("engine_late", 2000);
        auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), buffer.size(), 0);
        CHECK(context.run(request) == -ETIMEDOUT);
        CHECK(late.fired());
        // The engine is quiet: what the caller writes now stays.
        buffer.fill(std::byte{0x33});
        ::usleep(1'500'000);
        CHECK(all_equal(buffer.span(), std::byte{0x33}));
        buffer.unmap();
    }
}

TEST_CASE_METHOD(
    device_fixture,
    "pages that the caller has given up stay the request's until a late engine is quiet",
    "[.][fault]")
{
    const impatient_device device;
    const auto fd = open_direct();
    REQUIRE(::pwrite(fd.get(), memory(16).data(), 16 * page_size, 0) == 16 * page_size);
    aio context;
    memory buffer(16);
    const fault late("engine_late", 2000);
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), buffer.size(), 0);
    REQUIRE(context.submit(request) == 1);
    buffer.unmap();
    REQUIRE(eventually([&] { return late.fired(); }));
    CHECK(context.wait(1).front().res == -ETIMEDOUT);
    ::usleep(1'500'000);
    // A write to a page that is nobody's is seen when the page gets a new owner.
    const memory next_owners(4096);
    next_owners.fill(std::byte{1});
}

TEST_CASE_METHOD(device_fixture, "one lost request among many is the only one that times out",
                 "[.][fault]")
{
    const impatient_device device;
    const auto fd = open_direct();
    constexpr std::size_t depth = 32;
    const memory buffer(depth);
    const gain timed_out("timed_out");
    aio context(depth);
    const fault lost("engine_lost", 17);
    std::array<iocb, depth> requests{};
    for (std::size_t i = 0; i < depth; i++) {
        requests[i] =
            aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
        requests[i].aio_data = i;
        REQUIRE(context.submit(requests[i]) == 1);
    }
    for (const auto& event : context.wait(depth)) {
        CAPTURE(event.data);
        CHECK(event.res == (event.data == 16 ? -ETIMEDOUT : static_cast<std::int64_t>(page_size)));
    }
    CHECK(timed_out.value() == 1);
}

TEST_CASE_METHOD(device_fixture, "an engine that is slow but not silent is left alone",
                 "[.][fault]")
{
    const impatient_device device;
    const auto fd = open_direct();
    const memory buffer(16);
    const fault slow("engine_slow", 100);
    const auto begin = clock_type::now();
    CHECK(::pwrite(fd.get(), buffer.data(), buffer.size(), 0) ==
          static_cast<ssize_t>(buffer.size()));
    CHECK(::pread(fd.get(), buffer.data(), buffer.size(), 0) ==
          static_cast<ssize_t>(buffer.size()));
    CHECK(seconds_since(begin) >= 3.2);
}

TEST_CASE_METHOD(device_fixture, "pages that a late engine may have written to are marked dirty",
                 "[.][fault]")
{
    const impatient_device device;
    const auto fd = open_direct();
    const memory buffer(4);
    const gain dirtied("pages_dirtied");
    const fault late("engine_late", 2000);
    aio context;
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), buffer.size(), 0)) ==
          -ETIMEDOUT);
    CHECK(dirtied.value() == 4);
}

TEST_CASE_METHOD(
    device_fixture,
    "what a process does not wait for any more is not waited for: a silent engine and a signal",
    "[.][fault]")
{
    const setting completion("completion", "deferred");
    const fault lost("engine_lost", 1);
    const auto begin = clock_type::now();
    const pid_t child = in_child([] {
        const auto fd = open_direct();
        const memory buffer(1);
        (void)!::pread(fd.get(), buffer.data(), page_size, 0);
    });
    REQUIRE(eventually([&] { return lost.fired(); }));
    ::kill(child, SIGKILL);
    CHECK(WIFSIGNALED(wait_for(child, 5.0)));
    CHECK(seconds_since(begin) < 5.0);
}

TEST_CASE_METHOD(device_fixture,
                 "a process that exits with a request that is never answered ends by the deadline",
                 "[.][fault]")
{
    const impatient_device device;
    const fault lost("engine_lost", 1);
    const auto begin = clock_type::now();
    const pid_t child = in_child([] {
        const auto fd = open_direct();
        const memory buffer(1);
        aio context;
        auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
        (void)context.submit(request);
        ::_exit(0);  // with the request in flight: the context's end would wait for it
    });
    wait_for(child, 10.0);
    CHECK(seconds_since(begin) < 8.0);
    CHECK(lost.fired());
}

TEST_CASE_METHOD(device_fixture, "a lowered deadline holds for requests that come after it",
                 "[.][fault]")
{
    const setting completion("completion", "deferred"), patient("deadline_ms", "30000");
    const auto fd = open_direct();
    const memory buffer(1);
    const fault lost("engine_lost", 2);
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == page_size);
    const setting impatient("deadline_ms", "300");
    const auto begin = clock_type::now();
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == -1);
    CHECK(errno == ETIMEDOUT);
    CHECK(seconds_since(begin) < 8.0);
}

TEST_CASE_METHOD(device_fixture, "a raised deadline leaves that of requests in flight as it was",
                 "[.][fault]")
{
    const setting completion("completion", "deferred"), deadline("deadline_ms", "200");
    const auto fd = open_direct();
    const memory buffer(1);
    const fault lost("engine_lost", 1);
    aio context;
    iocb request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    const auto begin = clock_type::now();
    REQUIRE(context.submit(request) == 1);
    const setting raised("deadline_ms", "30000");
    CHECK(context.wait(1, 30).front().res == -ETIMEDOUT);
    CHECK(seconds_since(begin) < 8.0);
}
