// SPDX-License-Identifier: MIT
// Pinned memory is bounded, whoever asks.
#include <fcntl.h>
#include <liburing.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "aio.hpp"
#include "fixture.hpp"
#include "memory.hpp"

namespace {

constexpr std::size_t cap = 65536;
constexpr std::size_t part = cap / 2;

std::uint64_t pinned_bytes()
{
    // Releases first: what is released in between must not count as more than was pinned.
    const auto released = attribute("stats/pages_released");
    return (attribute("stats/pages_pinned") - released) * page_size;
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "requests wait for the cap and all complete, never more pinned than allowed")
{
    const setting max_pinned("max_pinned", std::to_string(cap)), latency("latency_us", "300000");
    const auto fd = open_direct();
    const memory buffer(16 * part / page_size);
    aio context;
    std::uint64_t highest = 0;
    for (std::size_t i = 0; i < 16; i++) {
        auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data() + i * part, part, 0);
        CHECK(context.submit(request) == 1);
        // Nothing is pinned while the counters are read: this is what was held, or more.
        highest = std::max(highest, pinned_bytes());
    }
    for (const auto& event : context.wait(16)) CHECK(event.res == part);
    CHECK(highest == cap);
}

TEST_CASE_METHOD(device_fixture, "a large request is not starved by a stream of small ones")
{
    const setting max_pinned("max_pinned", std::to_string(cap)), latency("latency_us", "20000");
    const auto fd = open_direct();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> small{0};
    const auto stream = [&] {
        const memory buffer(cap / 4 / page_size);
        while (!stop && std::chrono::steady_clock::now() < deadline)
            small += ::pread(fd.get(), buffer.data(), buffer.size(), 0) == cap / 4;
    };
    // Twice as many as fit: whenever one ends, another is waiting to take its place.
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++) threads.emplace_back(stream);
    const bool busy = eventually([&] { return small > 8; });
    const memory buffer(cap / page_size);
    const auto result = ::pread(fd.get(), buffer.data(), cap, 0);
    const bool in_time = std::chrono::steady_clock::now() < deadline;
    stop = true;
    for (auto& thread : threads) thread.join();
    CHECK(busy);
    CHECK(result == cap);
    CHECK(in_time);
}

TEST_CASE_METHOD(device_fixture,
                 "over the cap NOWAIT is told to come again, and io_uring waits for it elsewhere")
{
    const setting max_pinned("max_pinned", std::to_string(cap)), latency("latency_us", "200000");
    const auto fd = open_direct();
    const memory first(cap / page_size), second(part / page_size);
    aio context;
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, first.data(), cap, 0);
    REQUIRE(context.submit(request) == 1);

    const gain again("again");
    auto nowait = aio::request(fd.get(), IOCB_CMD_PREAD, second.data(), part, 0);
    nowait.aio_rw_flags = RWF_NOWAIT;
    CHECK(context.run(nowait) == -EAGAIN);
    const iovec segment{second.data(), part};
    CHECK(::preadv2(fd.get(), &segment, 1, 0, RWF_NOWAIT) == -1);
    CHECK(errno == EAGAIN);
    CHECK(again.value() == 2);

    io_uring ring{};
    REQUIRE(io_uring_queue_init(4, &ring, 0) == 0);
    io_uring_prep_read(io_uring_get_sqe(&ring), fd.get(), second.data(), part, 0);
    REQUIRE(io_uring_submit(&ring) == 1);
    CHECK(again.value() == 3);
    __kernel_timespec timeout{10, 0};
    io_uring_cqe* entry = nullptr;
    REQUIRE(io_uring_wait_cqe_timeout(&ring, &entry, &timeout) == 0);
    CHECK(entry->res == part);
    io_uring_queue_exit(&ring);
    CHECK(context.wait(1).front().res == cap);
}

TEST_CASE_METHOD(device_fixture, "a request larger than the cap is moved when it is alone")
{
    const setting max_pinned("max_pinned", "4096"),
        completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const memory out(64), in(64);
    fill_random(out.span(), 91);
    aio context;
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PWRITE, out.data(), out.size(), 0)) ==
          static_cast<std::int64_t>(out.size()));
    CHECK(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture,
                 "who waits for the cap can be killed, and is let in when the cap is raised")
{
    const setting latency("latency_us", "1500000");
    const auto fd = open_direct();
    const memory first(cap / page_size), second(1);
    aio context;
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, first.data(), cap, 0);
    {
        const setting max_pinned("max_pinned", std::to_string(cap));
        REQUIRE(context.submit(request) == 1);
        const gain cancelled("cancelled");
        const pid_t child = ::fork();
        if (child == 0) {
            (void)!::pread(fd.get(), second.data(), page_size, 0);
            ::_exit(0);
        }
        REQUIRE(eventually([] { return attribute("stats/in_flight") == 2; }));
        ::kill(child, SIGKILL);
        int status = 0;
        REQUIRE(eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }, 1.0));
        CHECK(WIFSIGNALED(status));
        CHECK(cancelled.value() == 1);
        // Still in flight: the child did not just wait it out.
        CHECK(context.poll() == 0);
    }
    CHECK(context.wait(1).front().res == cap);
}

namespace {

/// Never more than what was held at some moment: what is released between the two reads is missing.
std::uint64_t surely_pinned_bytes()
{
    const auto pinned = attribute("stats/pages_pinned");
    return (pinned - std::min(pinned, attribute("stats/pages_released"))) * page_size;
}

/// Reads again and again by one way, until told to stop, and counts.
class reader {
public:
    using way = std::int64_t (*)(int fd, std::span<std::byte> memory);

    reader(int fd, std::size_t bytes, way run, const std::atomic<bool>& stop)
        : thread_([this, fd, bytes, run, &stop] {
              const memory buffer(bytes / page_size);
              while (!stop) {
                  const auto result = run(fd, buffer.span());
                  if (result == static_cast<std::int64_t>(bytes)) moved++;
                  if (result == -EAGAIN) again++;
              }
          })
    {
    }
    void join() { thread_.join(); }

    std::atomic<std::size_t> moved{0}, again{0};

private:
    std::thread thread_;
};

std::int64_t by_pread(int fd, std::span<std::byte> memory)
{
    return ::pread(fd, memory.data(), memory.size(), 0);
}

std::int64_t by_libaio(int fd, std::span<std::byte> memory, int flags)
{
    scullpin::aio_context context(1);
    iocb request = aio::request(fd, IOCB_CMD_PREAD, memory.data(), memory.size(), 0);
    request.aio_rw_flags = flags;
    iocb* pointer = &request;
    if (const long taken = context.submit({&pointer, 1}); taken != 1) return taken;
    std::vector<io_event> events(1);
    const auto limit = scullpin::aio_context::clock::now() + std::chrono::seconds(20);
    return context.wait(events, 1, limit) == 1 ? events.front().res : -ETIME;
}

std::int64_t by_waiting_libaio(int fd, std::span<std::byte> memory)
{
    return by_libaio(fd, memory, 0);
}

std::int64_t by_nowait_libaio(int fd, std::span<std::byte> memory)
{
    return by_libaio(fd, memory, RWF_NOWAIT);
}

std::int64_t by_io_uring(int fd, std::span<std::byte> memory)
{
    io_uring ring{};
    if (io_uring_queue_init(2, &ring, 0) != 0) return -ENOSYS;
    io_uring_prep_read(io_uring_get_sqe(&ring), fd, memory.data(),
                       static_cast<unsigned>(memory.size()), 0);
    io_uring_submit(&ring);
    __kernel_timespec limit{20, 0};
    io_uring_cqe* entry = nullptr;
    const std::int64_t result =
        io_uring_wait_cqe_timeout(&ring, &entry, &limit) == 0 ? entry->res : -ETIME;
    io_uring_queue_exit(&ring);
    return result;
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "read, libaio and io_uring at once never pin more than the cap, or one larger "
                 "request alone",
                 "[bound]")
{
    const bool with_large = GENERATE(false, true);
    const setting max_pinned("max_pinned", std::to_string(cap)), latency("latency_us", "2000");
    const auto fd = open_direct();
    const std::size_t most = with_large ? 2 * cap : cap;
    std::atomic<bool> stop{false};
    std::deque<reader> readers;
    readers.emplace_back(fd.get(), cap / 4, by_pread, stop);
    readers.emplace_back(fd.get(), cap / 2, by_waiting_libaio, stop);
    readers.emplace_back(fd.get(), cap / 4, by_io_uring, stop);
    readers.emplace_back(fd.get(), cap, with_large ? by_pread : by_io_uring, stop);
    if (with_large) readers.emplace_back(fd.get(), most, by_pread, stop);
    reader nowait(fd.get(), cap / 2, by_nowait_libaio, stop);
    std::uint64_t highest = 0;
    const bool all_moved = eventually(
        [&] {
            highest = std::max(highest, surely_pinned_bytes());
            return highest > 0 && nowait.again != 0 &&
                   std::all_of(readers.begin(), readers.end(),
                               [](auto& one) { return one.moved > 8; });
        },
        60.0);
    stop = true;
    for (auto& one : readers) one.join();
    nowait.join();
    CHECK(all_moved);
    CHECK(highest > 0);
    CHECK(highest <= most);
}

TEST_CASE_METHOD(device_fixture, "who waits for the cap is served in the order of coming",
                 "[bound]")
{
    constexpr std::size_t waiters = 4;
    const setting max_pinned("max_pinned", std::to_string(cap)), latency("latency_us", "10000");
    const auto fd = open_direct();
    const memory first(cap / page_size);
    aio context;
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, first.data(), cap, 0);
    {
        // Long enough for all to be waiting on a slow machine.
        const setting slow("latency_us", "4000000");
        REQUIRE(context.submit(request) == 1);
    }
    std::mutex lock;
    std::vector<std::size_t> served;
    std::vector<std::thread> threads;
    std::array<std::atomic<pid_t>, waiters> ids{};
    for (std::size_t i = 0; i < waiters; i++) {
        threads.emplace_back([&, i] {
            const memory buffer(cap / page_size);
            ids[i] = static_cast<pid_t>(::gettid());
            (void)!::pread(fd.get(), buffer.data(), cap, 0);
            const std::lock_guard guard(lock);
            served.push_back(i);
        });
        CHECK(eventually([&] {
            return attribute("stats/in_flight") == i + 2 && state_of_thread(ids[i]) == 'D';
        }));
    }
    CHECK(context.poll() == 0);
    for (auto& thread : threads) thread.join();
    CHECK(served == std::vector<std::size_t>{0, 1, 2, 3});
    CHECK(context.wait(1).front().res == cap);
}
