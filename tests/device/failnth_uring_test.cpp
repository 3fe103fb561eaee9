// SPDX-License-Identifier: MIT
// The same by io_uring.
#include "failnth.hpp"

#include <sys/uio.h>

#include "ring.hpp"
#include "uapi/scullpin.h"
#include "uring_command.hpp"

namespace {

/// Tries what @p fill makes of an entry; what the kernel would not take under the fault is still in
/// the queue, and goes without it.
template <typename Fill>
attempt by_ring(
    ring& uring, const char* name, std::optional<long> whole, Fill fill,
    std::function<void()> prepare = [] {})
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
            // A worker of io_uring's could not be had.
            .also_clean = -ECANCELED};
}

}  // namespace

TEST_CASE_METHOD(failnth_fixture,
                 "every operation of io_uring survives the failure of its allocations and copies",
                 "[.][failnth]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const memory& whole = buffer();
    const memory fixed(20);
    fixed.fill(std::byte{0x77});
    const iovec segments[] = {{whole.data(), 5 * page_size + 512},
                              {whole.data() + 5 * page_size + 512, 10 * page_size}};
    const auto length = static_cast<unsigned>(whole.size());
    const auto vector_size = static_cast<long>(segments[0].iov_len + segments[1].iov_len);
    ring uring, registered;
    registered.register_buffer(fixed.span());
    for (const int fd : {direct(), plain()}) {
        CAPTURE(fd == direct());
        exhaust(by_ring(uring, "read", length, [&](io_uring_sqe* entry) {
            io_uring_prep_read(entry, fd, whole.data(), length, 0);
        }));
        auto write = by_ring(
            uring, "write to holes", length,
            [&](io_uring_sqe* entry) { io_uring_prep_write(entry, fd, whole.data(), length, 0); },
            discard_all);
        // A worker of io_uring's does the plain one, and only the thread of the test meets faults.
        if (fd == plain()) write.hit = std::nullopt;
        exhaust(write);
    }
    exhaust(by_ring(uring, "readv", vector_size, [&](io_uring_sqe* entry) {
        io_uring_prep_readv(entry, direct(), segments, 2, 0);
    }));
    exhaust(by_ring(
        uring, "writev to holes", vector_size,
        [&](io_uring_sqe* entry) { io_uring_prep_writev(entry, direct(), segments, 2, 0); },
        discard_all));
    exhaust(by_ring(registered, "read into a registered buffer", length, [&](io_uring_sqe* entry) {
        io_uring_prep_read_fixed(entry, direct(), fixed.data(), length, 0, 0);
    }));
    exhaust(by_ring(
        registered, "write from a registered buffer to holes", length,
        [&](io_uring_sqe* entry) {
            io_uring_prep_write_fixed(entry, direct(), fixed.data(), length, 0, 0);
        },
        discard_all));
}

TEST_CASE_METHOD(failnth_fixture,
                 "polled transfers survive the failure of their allocations and copies",
                 "[.][failnth]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const memory& whole = buffer();
    const auto length = static_cast<unsigned>(whole.size());
    ring uring(8, IORING_SETUP_IOPOLL);
    exhaust(by_ring(uring, "read", length, [&](io_uring_sqe* entry) {
        io_uring_prep_read(entry, direct(), whole.data(), length, 0);
    }));
    exhaust(by_ring(
        uring, "write to holes", length,
        [&](io_uring_sqe* entry) { io_uring_prep_write(entry, direct(), whole.data(), length, 0); },
        discard_all));
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
    exhaust(by_ring(uring, "discard", 0,
                    command(plain(), SCULLPIN_URING_DISCARD, scullpin_uring_discard{0, 65536})));
    exhaust(
        by_ring(uring, "flush", 0, command(plain(), SCULLPIN_URING_FLUSH, scullpin_uring_flush{}),
                [&] { REQUIRE(::pwrite(plain(), buffer().data(), page_size, 0) == page_size); }));
}
