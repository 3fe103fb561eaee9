// SPDX-License-Identifier: MIT
// When a request completes, and from where.
#include <fcntl.h>
#include <liburing.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "aio.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;
using std::chrono::steady_clock;

namespace {

double seconds_since(steady_clock::time_point begin)
{
    return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

/// Threads of this process that io_uring made to wait in.
std::size_t uring_workers()
{
    std::size_t count = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(task.path() / "comm");
        std::string name;
        std::getline(file, name);
        count += name.starts_with("iou-wrk") ? 1 : 0;
    }
    return count;
}

/// Keeps 32 requests in flight for a while, reads alone or also writes. @return 0, or what went
/// wrong
int full_queue_result(int fd, const memory& buffer, bool writes)
{
    constexpr unsigned depth = 32, size = 16384;
    io_uring ring{};
    if (io_uring_queue_init(depth, &ring, 0) != 0) return 1;
    for (int round = 0; round < 20; round++) {
        for (unsigned i = 0; i < depth; i++) {
            auto* entry = io_uring_get_sqe(&ring);
            if (i % 2 == 0 || !writes)
                io_uring_prep_read(entry, fd, buffer.data() + i * size, size, i * size);
            else
                io_uring_prep_write(entry, fd, buffer.data() + i * size, size, i * size);
        }
        if (io_uring_submit(&ring) != depth) return 1;
        if (uring_workers() > 0) return 2;
        for (unsigned i = 0; i < depth; i++) {
            __kernel_timespec timeout{10, 0};
            io_uring_cqe* entry = nullptr;
            if (io_uring_wait_cqe_timeout(&ring, &entry, &timeout) != 0) return 1;
            if (entry->res != size) return 3;
            io_uring_cqe_seen(&ring, entry);
        }
    }
    return 0;
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "the setting completion decides who completes a direct asynchronous request",
                 "[cpu]")
{
    struct row {
        const char* completion;
        std::size_t size;
        bool deferred;
    };
    const auto [completion, size, deferred] =
        GENERATE(row{"auto", 65536, false}, row{"auto", 65536 + 4096, true},
                 row{"inline", 1 << 20, false}, row{"deferred", 4096, true});
    INFO(completion << " " << size);
    const setting chosen("completion", completion);
    const auto fd = open_direct();
    const memory buffer(size / page_size);
    for (const auto& way : all_ways()) {
        INFO(way.name);
        const gain inlined("requests_inline"), later("requests_deferred");
        const bool expected =
            way.asynchronous ? deferred : std::string_view(completion) == "deferred";
        REQUIRE(way.run(fd.get(), direction::read, buffer.span(), 0) ==
                static_cast<std::int64_t>(size));
        CHECK(inlined.value() == (expected ? 0 : 1));
        CHECK(later.value() == (expected ? 1 : 0));
    }
}

TEST_CASE_METHOD(device_fixture,
                 "no read of what is not cached completes before the latency of the device")
{
    const setting latency("latency_us", "60000");
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const memory buffer(1);
    for (const auto& way : all_ways()) {
        INFO(way.name);
        drop_cached();
        const auto begin = steady_clock::now();
        CHECK(way.run(fd.get(), direction::read, buffer.span(), 0) == 4096);
        CHECK(seconds_since(begin) >= 0.06);
    }
}

TEST_CASE_METHOD(device_fixture,
                 "requests in flight overlap their latencies, but share the bandwidth")
{
    const auto fd = open_direct();
    const memory buffer(8);
    aio context;
    const auto run_eight = [&] {
        const auto begin = steady_clock::now();
        for (std::size_t i = 0; i < 8; i++) {
            auto request =
                aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
            REQUIRE(context.submit(request) == 1);
        }
        context.wait(8);
        return seconds_since(begin);
    };
    {
        const setting latency("latency_us", "200000");
        const auto elapsed = run_eight();
        CHECK(elapsed >= 0.2);
        CHECK(elapsed < 8 * 0.2);
    }
    const setting bandwidth("bandwidth", std::to_string(page_size * 20));  // 50 ms a page
    CHECK(run_eight() >= 0.39);
}

TEST_CASE_METHOD(device_fixture, "io_uring needs no worker threads in steady state")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    // Cached writes are done by workers, as those of block devices: they may wait for memory.
    const bool direct = GENERATE(true, false);
    const auto fd = open_node(direct ? O_DIRECT : 0);
    const memory buffer(32 * 4);
    if (!direct)
        REQUIRE(::pread(fd.get(), buffer.data(), buffer.size(), 0) ==
                static_cast<ssize_t>(buffer.size()));
    // In a process of its own: a worker that an earlier test needed stays with the process.
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(full_queue_result(fd.get(), buffer, direct));
    int status = 0;
    REQUIRE(eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }, 30));
    INFO("1: io_uring failed, 2: a worker thread was made, 3: a wrong result");
    CHECK(status == 0);
}

TEST_CASE_METHOD(device_fixture, "RWF_NOWAIT is told to come again where the end would come later")
{
    const auto direct = open_direct(), plain = open_node();
    const memory buffer(4);
    buffer.fill(std::byte{0x31});
    const iovec segment{buffer.data(), buffer.size()};
    const auto refused = [&](int fd, int error) {
        CHECK(::pwritev2(fd, &segment, 1, 0, RWF_NOWAIT) == -1);
        CHECK(errno == error);
        CHECK(::preadv2(fd, &segment, 1, 0, RWF_NOWAIT) == -1);
        CHECK(errno == EAGAIN);
    };
    discard_all();
    {
        const setting completion("completion", "deferred");
        refused(direct.get(), EAGAIN);
    }
    {
        const setting latency("latency_us", "300000");
        refused(direct.get(), EAGAIN);
        // A cached write may wait for memory, for a page to be read in, for the flusher.
        refused(plain.get(), EOPNOTSUPP);
    }
    CHECK(::pread(plain.get(), buffer.data(), buffer.size(), 0) == 16384);
    CHECK(all_equal(buffer.span(), std::byte{0}));
}

TEST_CASE_METHOD(device_fixture, "RWF_NOWAIT moves bytes where nothing has to be waited for",
                 "[cpu]")
{
    const auto direct = open_direct(), plain = open_node();
    const memory buffer(4);
    const iovec segment{buffer.data(), buffer.size()};
    CHECK(::pwritev2(direct.get(), &segment, 1, 0, RWF_NOWAIT) == 16384);
    CHECK(::preadv2(direct.get(), &segment, 1, 0, RWF_NOWAIT) == 16384);
    REQUIRE(::pread(plain.get(), buffer.data(), buffer.size(), 0) == 16384);
    const setting latency("latency_us", "20000000");
    CHECK(::preadv2(plain.get(), &segment, 1, 0, RWF_NOWAIT) == 16384);
}

TEST_CASE_METHOD(device_fixture, "every completion comes exactly once, with its own data")
{
    const setting completion("completion", GENERATE("inline", "deferred"));
    const auto fd = open_direct();
    const memory out(64), in(64);
    fill_random(out.span(), 71);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    aio context(64);
    for (int round = 0; round < 20; round++) {
        in.fill(std::byte{0});
        for (std::size_t i = 0; i < 64; i++) {
            auto request =
                aio::request(fd.get(), IOCB_CMD_PREAD, in.page(i), page_size, i * page_size);
            request.aio_data = i;
            REQUIRE(context.submit(request) == 1);
        }
        std::uint64_t seen = 0;
        for (const auto& event : context.wait(64)) {
            CHECK(event.res == 4096);
            CHECK((seen & (1ull << event.data)) == 0);
            seen |= 1ull << event.data;
        }
        CHECK(seen == ~0ull);
        CHECK(context.poll() == 0);
        CHECK(same(in.span(), out.span()));
    }
}
