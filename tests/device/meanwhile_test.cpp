// SPDX-License-Identifier: MIT
// What others do meanwhile: fork, signals, flags of the descriptor, settings of the device. No
// transfer may notice.
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "adversary.hpp"
#include "aio.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "scullpin/device.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

using clock_type = std::chrono::steady_clock;
const auto duration = adversary_duration();

/// Interrupts whatever this process does, a thousand times a second.
class signal_storm {
public:
    signal_storm()
    {
        struct sigaction action {};
        action.sa_handler = [](int) { received++; };  // no SA_RESTART: what can be interrupted, is
        REQUIRE(::sigaction(SIGALRM, &action, &before_) == 0);
        const itimerval every{{0, 1000}, {0, 1000}};
        REQUIRE(::setitimer(ITIMER_REAL, &every, nullptr) == 0);
    }
    ~signal_storm()
    {
        const itimerval never{};
        ::setitimer(ITIMER_REAL, &never, nullptr);
        ::sigaction(SIGALRM, &before_, nullptr);
    }
    signal_storm(const signal_storm&) = delete;
    signal_storm& operator=(const signal_storm&) = delete;

    inline static std::atomic<int> received{0};

private:
    struct sigaction before_ {};
};

/// Calls @p action in a storm, @p times at least and until as many signals have come: they come as
/// often as the machine has time to send them.
template <typename Action>
void in_a_storm(int times, Action action)
{
    const int before = signal_storm::received;
    {
        const signal_storm storm;
        for (int i = 0; i < times || (signal_storm::received <= before + times && i < 2000); i++)
            action();
    }
    CHECK(signal_storm::received > before + times);
}

/// Reads one page of the device again and again into memory off page boundaries. @return how often
/// it was not that page
std::size_t read_until(const std::atomic<bool>& stop, int fd, std::byte* where,
                       std::uint64_t offset, std::span<const std::byte> expected)
{
    std::size_t wrong = 0;
    while (!stop) {
        std::memset(where, 0x77, page_size);
        wrong += ::pread(fd, where, page_size, static_cast<off_t>(offset)) != page_size;
        wrong += !same({where, page_size}, expected);
    }
    return wrong;
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "reads into memory that shares pages with other readers survive forks",
                 "[adversary]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const auto expected = random_vector(2 * page_size, 131);
    const std::span all(expected);
    REQUIRE(::pwrite(open_node().get(), expected.data(), expected.size(), 0) ==
            static_cast<ssize_t>(expected.size()));
    const memory buffer(3);
    const auto enough = clock_type::now() + duration;
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> wrong{0};
    // Each ends in the page in which the other begins.
    std::thread first(
        [&] { wrong += read_until(stop, fd.get(), buffer.data() + 512, 0, all.first(page_size)); });
    std::thread second([&] {
        wrong += read_until(stop, fd.get(), buffer.data() + 512 + page_size, page_size,
                            all.subspan(page_size));
    });
    std::size_t forks = 0;
    // A slow machine forks slowly.
    for (; clock_type::now() < enough || forks < 20; forks++) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (std::size_t page = 0; page < 3; page++) buffer.page(page)[0] = std::byte{0x44};
            ::_exit(0);
        }
        int status = 0;
        CHECK(child > 0);
        ::waitpid(child, &status, 0);
    }
    stop = true;
    first.join();
    second.join();
    CHECK(wrong == 0);
}

TEST_CASE_METHOD(device_fixture, "a storm of signals makes no transfer short")
{
    const setting completion("completion", "deferred"), latency("latency_us", "3000");
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const memory buffer(256);
    const auto size = static_cast<std::int64_t>(buffer.size());
    for (const auto& way : all_ways()) {
        if (way.asynchronous) continue;
        CAPTURE(way.name);
        std::size_t wrong = 0;
        in_a_storm(20, [&] {
            wrong += way.run(fd.get(), direction::write, buffer.span(), 0) != size;
            wrong += way.run(fd.get(), direction::read, buffer.span(), 0) != size;
        });
        CHECK(wrong == 0);
    }
}

TEST_CASE_METHOD(device_fixture,
                 "a storm of signals fails no fsync or discard, and takes no byte from a splice")
{
    const setting latency("latency_us", "3000");
    const auto fd = open_node();
    const auto node = scullpin::device::open(node_path, scullpin::access::read_write, false);
    const memory out(4), in(4);
    const auto size = static_cast<ssize_t>(out.size());
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const scullpin::file_descriptor from(ends[0]), to(ends[1]);
    std::size_t wrong = 0;
    // The kernel looks for signals before each step of a splice, for any file: it is cut, and goes
    // on.
    const auto splice_all = [&](int source, loff_t* read_at, int target, loff_t* write_at) {
        for (std::size_t left = out.size(); left > 0;) {
            const auto moved = ::splice(source, read_at, target, write_at, left, 0);
            if (moved > 0) left -= static_cast<std::size_t>(moved);
            if (moved == 0 || (moved < 0 && errno != EINTR)) {
                wrong++;
                return;
            }
        }
    };
    std::uint64_t seed = 0;
    in_a_storm(20, [&] {
        fill_random(out.span(), seed++);
        wrong += ::pwrite(fd.get(), out.data(), out.size(), 0) != size;
        wrong += ::fsync(fd.get()) != 0;
        device_fixture::drop_cached();
        loff_t read_at = 0, write_at = size;
        splice_all(fd.get(), &read_at, to.get(), nullptr);
        splice_all(from.get(), nullptr, fd.get(), &write_at);
        wrong += ::fdatasync(fd.get()) != 0;
        wrong += ::pread(fd.get(), in.data(), in.size(), size) != size;
        wrong += !same(in.span(), out.span());
        node.discard(0, 2 * out.size());
    });
    CHECK(wrong == 0);
}

TEST_CASE_METHOD(device_fixture, "a storm of signals breaks no wait for pinned bytes")
{
    const memory buffer(16), others(16);
    const auto size = static_cast<ssize_t>(buffer.size());
    const setting completion("completion", "deferred"), latency("latency_us", "3000"),
        max_pinned("max_pinned", std::to_string(size));
    const auto fd = open_direct();
    std::atomic<std::size_t> wrong = 0, all = 0;
    const auto transfer = [&](const memory& mine) {
        all++;
        wrong += ::pread(fd.get(), mine.data(), mine.size(), 0) != size;
    };
    const auto begin = clock_type::now();
    std::atomic<bool> stop{false};
    std::thread other([&] {
        while (!stop) transfer(others);
    });
    in_a_storm(50, [&] { transfer(buffer); });
    stop = true;
    other.join();
    CHECK(wrong == 0);
    // They came one after the other: each waited for the other's bytes.
    CHECK(clock_type::now() - begin >= std::size_t{all} * std::chrono::milliseconds(3));
}

TEST_CASE_METHOD(device_fixture,
                 "O_DIRECT that comes and goes by fcntl between and during requests loses no byte",
                 "[adversary]")
{
    const setting completion("completion", "deferred");
    const auto fd = open_node();
    const auto flags = ::fcntl(fd.get(), F_GETFL);
    const memory out(4), in(4);
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> refused{0};
    std::thread toggler([&] {
        for (bool direct = true; !stop; direct = !direct)
            refused += ::fcntl(fd.get(), F_SETFL, direct ? flags | O_DIRECT : flags) != 0;
    });
    aio context;
    std::size_t wrong = 0, rounds = 0;
    for (const auto deadline = clock_type::now() + duration; clock_type::now() < deadline;
         rounds++) {
        fill_random(out.span(), rounds);
        wrong += context.run(aio::request(fd.get(), IOCB_CMD_PWRITE, out.data(), out.size(), 0)) !=
                 static_cast<std::int64_t>(out.size());
        wrong += context.run(aio::request(fd.get(), IOCB_CMD_PREAD, in.data(), in.size(), 0)) !=
                 static_cast<std::int64_t>(in.size());
        wrong += !same(in.span(), out.span());
    }
    stop = true;
    toggler.join();
    CHECK(wrong == 0);
    CHECK(refused == 0);
    CHECK(rounds > 10);
}

TEST_CASE_METHOD(device_fixture,
                 "settings that change while requests are in flight lose none of them",
                 "[adversary]")
{
    const auto fd = open_direct();
    std::atomic<std::size_t> wrong{0}, rounds{0};
    const auto deadline = clock_type::now() + duration;
    const auto worker = [&](std::uint64_t offset) {
        const memory out(20), in(20);
        const auto size = static_cast<ssize_t>(out.size());
        for (std::uint64_t seed = offset; clock_type::now() < deadline; seed++, rounds++) {
            fill_random(out.span(), seed);
            wrong += ::pwrite(fd.get(), out.data(), out.size(), static_cast<off_t>(offset)) != size;
            wrong += ::pread(fd.get(), in.data(), in.size(), static_cast<off_t>(offset)) != size;
            wrong += !same(in.span(), out.span());
        }
    };
    std::thread first(worker, 0), second(worker, 1 << 20);
    while (clock_type::now() < deadline) {
        for (const auto& [name, value] :
             {std::pair("completion", "deferred"), std::pair("latency_us", "200"),
              std::pair("max_pinned", "65536"), std::pair("bandwidth", "200000000"),
              std::pair("completion", "inline")}) {
            // Set, and set back at once.
            const setting changed(name, value);
        }
    }
    first.join();
    second.join();
    CHECK(wrong == 0);
    CHECK(rounds > 4);
}
