// SPDX-License-Identifier: MIT
// The same by io_uring.
#include "failnth.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "ring.hpp"
#include "two_ends.hpp"
#include "uapi/scullpin.h"
#include "uring_command.hpp"

namespace {

/// Tries what @p fill makes of an entry; what the kernel would not take under the fault is still in
/// the queue, and goes without it.
template <typename Fill>
attempt by_ring(
    ring& uring, const char* name, std::optional<long> whole, Fill fill,
    std::function<void()> prepare = [] {}, moved bytes = moved::nothing)
{
    return {.name = name,
            .whole = whole,
            .run = [&uring] { return uring.try_submit(); },
            .prepare =
                [&uring, fill, prepare] {
                    prepare();
                    uring.prepare(fill);
                },
            .finish =
                [&uring](long) {
                    while (uring.try_submit() < 0) continue;
                    return static_cast<long>(uring.wait().result);
                },
            // A worker of io_uring's could not be had, or no memory without waiting.
            .also_clean = {-ECANCELED, -EAGAIN},
            .bytes = bytes};
}

template <typename Fill>
attempt read_by_ring(ring& uring, const char* name, long whole, Fill fill)
{
    return by_ring(
        uring, name, whole, fill, [] {}, moved::into_buffer);
}

template <typename Fill>
attempt write_by_ring(ring& uring, const char* name, long whole, Fill fill)
{
    return by_ring(uring, name, whole, fill, discard_all, moved::onto_device);
}

}  // namespace

TEST_CASE_METHOD(failnth_fixture,
                 "every operation of io_uring survives the failure of its allocations and copies",
                 "[.][failnth]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const memory& whole = buffer();
    const auto segments = two_segments();
    const auto length = static_cast<unsigned>(whole.size());
    const long vector_size = two_segments_bytes;
    ring uring, registered;
    registered.register_buffer(whole.span());
    // A worker of io_uring's does plain writes, and only the thread of the test meets faults.
    const auto plain_write = [](attempt what) {
        what.hit = std::nullopt;
        return what;
    };
    for (const int fd : {direct(), plain()}) {
        CAPTURE(fd == direct());
        const auto write = [&](attempt what) {
            exhaust(fd == plain() ? plain_write(std::move(what)) : what);
        };
        exhaust(read_by_ring(uring, "read", length, [&](io_uring_sqe* entry) {
            io_uring_prep_read(entry, fd, whole.data(), length, 0);
        }));
        write(write_by_ring(uring, "write to holes", length, [&](io_uring_sqe* entry) {
            io_uring_prep_write(entry, fd, whole.data(), length, 0);
        }));
        exhaust(read_by_ring(uring, "readv", vector_size, [&](io_uring_sqe* entry) {
            io_uring_prep_readv(entry, fd, segments.data(), 2, 0);
        }));
        write(write_by_ring(uring, "writev to holes", vector_size, [&](io_uring_sqe* entry) {
            io_uring_prep_writev(entry, fd, segments.data(), 2, 0);
        }));
        exhaust(read_by_ring(registered, "read into a registered buffer", length,
                             [&](io_uring_sqe* entry) {
                                 io_uring_prep_read_fixed(entry, fd, whole.data(), length, 0, 0);
                             }));
        write(write_by_ring(registered, "write from a registered buffer to holes", length,
                            [&](io_uring_sqe* entry) {
                                io_uring_prep_write_fixed(entry, fd, whole.data(), length, 0, 0);
                            }));
    }
}

TEST_CASE_METHOD(failnth_fixture,
                 "polled transfers survive the failure of their allocations and copies",
                 "[.][failnth]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const memory& whole = buffer();
    const auto length = static_cast<unsigned>(whole.size());
    ring uring(8, IORING_SETUP_IOPOLL);
    exhaust(read_by_ring(uring, "read", length, [&](io_uring_sqe* entry) {
        io_uring_prep_read(entry, direct(), whole.data(), length, 0);
    }));
    exhaust(write_by_ring(uring, "write to holes", length, [&](io_uring_sqe* entry) {
        io_uring_prep_write(entry, direct(), whole.data(), length, 0);
    }));
}

TEST_CASE_METHOD(failnth_fixture,
                 "a splice of io_uring survives the failure of its allocations and copies",
                 "[.][failnth]")
{
    const two_ends pipe(O_NONBLOCK);
    const int fd = GENERATE_COPY(direct(), plain());
    ring uring;
    const auto empty = [&] {
        std::array<std::byte, page_size> some{};
        while (::read(pipe.out.get(), some.data(), some.size()) > 0) continue;
    };
    // A worker of io_uring's does it.
    auto into_pipe = by_ring(
        uring, "into a pipe", page_size,
        [&](io_uring_sqe* entry) {
            io_uring_prep_splice(entry, fd, 0, pipe.in.get(), -1, page_size, 0);
        },
        empty);
    into_pipe.hit = std::nullopt;
    into_pipe.finish = [&, finish = into_pipe.finish](long begun) {
        return check_put(pipe.out.get(), finish(begun));
    };
    exhaust(into_pipe);
    auto from_pipe = by_ring(
        uring, "from a pipe", page_size,
        [&](io_uring_sqe* entry) {
            io_uring_prep_splice(entry, pipe.out.get(), -1, fd, 0, page_size, 0);
        },
        [&] {
            empty();
            discard_all();
            REQUIRE(::write(pipe.in.get(), buffer().data(), page_size) == page_size);
        },
        moved::onto_device);
    from_pipe.hit = std::nullopt;
    exhaust(from_pipe);
}

TEST_CASE_METHOD(failnth_fixture, "commands survive the failure of their allocations and copies",
                 "[.][failnth]")
{
    ring uring;
    scullpin_info info{};
    info.struct_size = sizeof(info);
    exhaust(
        by_ring(uring, "info", 0,
                command(plain(), SCULLPIN_URING_INFO, scullpin_uring_info{address_of(&info), 0}),
                [&] { info.struct_size = sizeof(info); }));
    const auto discard = command(plain(), SCULLPIN_URING_DISCARD, scullpin_uring_discard{0, 65536});
    // A worker that io_uring cannot make is a page of the kernel's log, so it is there before.
    exhaust(by_ring(uring, "discard", 0, discard, [&] {
        uring.submit(discard);
        REQUIRE(uring.wait().result == 0);
    }));
    exhaust(
        by_ring(uring, "flush", 0, command(plain(), SCULLPIN_URING_FLUSH, scullpin_uring_flush{}),
                [&] { REQUIRE(::pwrite(plain(), buffer().data(), page_size, 0) == page_size); }));
}
