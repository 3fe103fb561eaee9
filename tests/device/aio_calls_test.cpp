// SPDX-License-Identifier: MIT
// Every call of libaio on the node, from io_setup to io_destroy.
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "aio.hpp"
#include "child.hpp"
#include "control.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "raw_aio.hpp"

namespace {

constexpr std::uint16_t priority(unsigned level, unsigned data)
{
    return static_cast<std::uint16_t>(level << 13 | data);
}

/// io_pgetevents(2) for one event, at most ten seconds. @return how many, or -errno
long wait_with_signals(const raw_aio& calls, const sigset_t& mask, std::span<io_event> events)
{
    struct {
        const sigset_t* mask;
        std::size_t size;
    } signals{&mask, 8};
    timespec timeout{10, 0};
    const long got = ::syscall(SYS_io_pgetevents, calls.context, 1, events.size(), events.data(),
                               &timeout, &signals);
    return got < 0 ? -errno : got;
}

volatile sig_atomic_t signals_seen = 0;

}  // namespace

TEST_CASE_METHOD(device_fixture, "libaio refuses contexts and requests that make no sense")
{
    const auto fd = open_direct();
    const memory buffer(1);
    aio_context_t context = 0;
    CHECK((::syscall(SYS_io_setup, 0, &context) == -1 && errno == EINVAL));
    context = 1;
    CHECK((::syscall(SYS_io_setup, 1, &context) == -1 && errno == EINVAL));
    CHECK((::syscall(SYS_io_destroy, 1) == -1 && errno == EINVAL));
    const raw_aio calls;
    const auto refused = [&](iocb request) { return calls.try_submit(request); };
    auto read = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    read.aio_fildes = 999;
    CHECK(refused(read) == -EBADF);
    read = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    read.aio_reserved2 = 1;
    CHECK(refused(read) == -EINVAL);
    read = aio::request(fd.get(), IOCB_CMD_NOOP, buffer.data(), page_size, 0);
    CHECK(refused(read) == -EINVAL);
    read = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    read.aio_flags = IOCB_FLAG_RESFD;
    read.aio_resfd = static_cast<std::uint32_t>(fd.get());  // no eventfd
    CHECK(refused(read) == -EINVAL);
    std::array<io_event, 1> events{};
    CHECK(calls.reap(events, 0) == 0);
}

TEST_CASE_METHOD(device_fixture, "io_submit takes the requests before the one that is wrong")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const memory buffer(3);
    const raw_aio calls;
    std::array<iocb, 3> requests{};
    std::array<iocb*, 3> pointers{};
    for (std::size_t i = 0; i < 3; i++) {
        requests[i] = aio::request(i == 2 ? 999 : fd.get(), IOCB_CMD_PREAD, buffer.page(i),
                                   page_size, i * page_size);
        pointers[i] = &requests[i];
    }
    CHECK(::syscall(SYS_io_submit, calls.context, 3, pointers.data()) == 2);
    std::array<io_event, 3> events{};
    std::size_t got = 0;
    while (got < 2) {
        const auto more = calls.reap(events, 10);
        REQUIRE(more > 0);
        got += more;
    }
    CHECK(got == 2);
    CHECK(calls.reap(events, 0) == 0);
}

TEST_CASE_METHOD(device_fixture, "libaio moves, gathers, scatters and synchronises", "[aio]")
{
    const setting completion("completion", GENERATE("auto", "inline", "deferred"));
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const memory out(4), in(4);
    fill_random(out.span(), 511);
    aio context;
    const std::array<iovec, 3> from{iovec{out.data(), 512}, iovec{out.page(1), 2 * page_size},
                                    iovec{out.data() + 512, 3584}};
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PWRITEV, from.data(), 3, 65536)) == 12288);
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_FDSYNC, nullptr, 0, 0)) == 0);
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, in.data(), 12288, 65536)) == 12288);
    CHECK(same({in.data(), 512}, {out.data(), 512}));
    CHECK(same({in.data() + 512, 2 * page_size}, {out.page(1), 2 * page_size}));
    CHECK(same({in.data() + 512 + 2 * page_size, 3584}, {out.data() + 512, 3584}));
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PWRITE, out.data(), 16384, 65536)) == 16384);
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_FSYNC, nullptr, 0, 0)) == 0);
    const std::array<iovec, 2> into{iovec{in.page(2), 2 * page_size}, iovec{in.data(), 8192}};
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PREADV, into.data(), 2, 65536)) == 16384);
    CHECK(same({in.page(2), 8192}, {out.data(), 8192}));
    CHECK(same({in.data(), 8192}, {out.page(2), 8192}));
    // There is no .poll: poll(2) is always ready, and libaio has nothing to wait for.
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_POLL, nullptr, POLLIN, 0)) == -EINVAL);
}

TEST_CASE_METHOD(device_fixture, "an eventfd is told of each completion when it comes")
{
    const setting latency("latency_us", GENERATE("0", "100000"));
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const scullpin::file_descriptor told(::eventfd(0, EFD_CLOEXEC));
    REQUIRE(told);
    const memory buffer(4);
    const raw_aio calls;
    std::array<iocb, 4> requests{};
    for (std::size_t i = 0; i < requests.size(); i++) {
        requests[i] =
            aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
        requests[i].aio_flags = IOCB_FLAG_RESFD;
        requests[i].aio_resfd = static_cast<std::uint32_t>(told.get());
        calls.submit(requests[i]);
    }
    std::uint64_t count = 0;
    while (count < 4) {
        pollfd ready{told.get(), POLLIN, 0};
        REQUIRE(::poll(&ready, 1, 10'000) == 1);
        std::uint64_t more = 0;
        REQUIRE(::read(told.get(), &more, sizeof(more)) == sizeof(more));
        count += more;
    }
    CHECK(count == 4);
    std::array<io_event, 8> events{};
    CHECK(calls.reap(events, 10) == 4);
}

TEST_CASE_METHOD(device_fixture, "an eventfd is told of a request that was taken back", "[cancel]")
{
    const setting latency("latency_us", "30000000");
    const auto fd = open_direct();
    const scullpin::file_descriptor told(::eventfd(0, EFD_CLOEXEC));
    const memory buffer(1);
    const raw_aio calls;
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    request.aio_flags = IOCB_FLAG_RESFD;
    request.aio_resfd = static_cast<std::uint32_t>(told.get());
    calls.submit(request);
    REQUIRE(calls.cancel(request) == -EINPROGRESS);
    pollfd ready{told.get(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 10'000) == 1);
    std::uint64_t count = 0;
    REQUIRE(::read(told.get(), &count, sizeof(count)) == sizeof(count));
    CHECK(count == 1);
    std::array<io_event, 1> events{};
    CHECK(calls.reap(events, 10) == 1);
}

TEST_CASE_METHOD(device_fixture,
                 "a signal that io_pgetevents lets in ends the wait, and the event still comes")
{
    const setting latency("latency_us", "1000000");
    const auto fd = open_direct();
    const memory buffer(1);
    struct sigaction action {
    }, before{};
    action.sa_handler = [](int) { signals_seen = signals_seen + 1; };
    REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
    sigset_t blocked, open, old;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    REQUIRE(::sigprocmask(SIG_BLOCK, &blocked, &old) == 0);
    open = old;
    sigdelset(&open, SIGUSR1);
    const raw_aio calls;
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    calls.submit(request);
    signals_seen = 0;
    ::raise(SIGUSR1);  // pending until it is let in
    CHECK(signals_seen == 0);
    std::array<io_event, 1> events{};
    CHECK(wait_with_signals(calls, open, events) == -EINTR);
    CHECK(signals_seen == 1);
    CHECK(wait_with_signals(calls, blocked, events) == 1);
    CHECK(events[0].res == 4096);
    ::sigprocmask(SIG_SETMASK, &old, nullptr);
    ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_CASE_METHOD(device_fixture, "priorities of libaio are looked at by the kernel and let through")
{
    const auto fd = open_direct();
    const memory buffer(1);
    const raw_aio calls;
    const auto submitted = [&](std::uint16_t value) {
        auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
        request.aio_flags = IOCB_FLAG_IOPRIO;
        request.aio_reqprio = static_cast<std::int16_t>(value);
        const long taken = calls.try_submit(request);
        std::array<io_event, 1> events{};
        if (taken == 1) {
            CHECK(calls.reap(events, 10) == 1);
            CHECK(events[0].res == 4096);
        }
        return taken;
    };
    CHECK(submitted(priority(2, 4)) == 1);                                // best effort
    CHECK(submitted(priority(3, 0)) == 1);                                // idle
    CHECK(submitted(priority(1, 4)) == (::geteuid() == 0 ? 1 : -EPERM));  // real time
    CHECK(submitted(priority(7, 0)) == -EINVAL);
}

TEST_CASE_METHOD(device_fixture, "flags of RWF_ mean by libaio what they mean by pwritev2")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const memory buffer(1);
    aio context;
    const auto result = [&](int opcode, int flags) {
        auto request = aio::request(fd.get(), opcode, buffer.data(), page_size, 0);
        request.aio_rw_flags = flags;
        return context.run(request);
    };
    for (const int flags : {RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_HIPRI}) {
        INFO(flags);
        CHECK(result(IOCB_CMD_PWRITE, flags) == 4096);
        CHECK(result(IOCB_CMD_PREAD, flags) == 4096);
    }
    CHECK(result(IOCB_CMD_PREAD, 0x40000000) == -EOPNOTSUPP);
}
