// SPDX-License-Identifier: MIT
#pragma once

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <span>

#include <catch_amalgamated.hpp>

/// libaio's system calls as they are, for what the helpers hide.
struct raw_aio {
    explicit raw_aio(unsigned depth = 64)
    {
        REQUIRE(::syscall(SYS_io_setup, depth, &context) == 0);
    }
    ~raw_aio()
    {
        if (context != 0) ::syscall(SYS_io_destroy, context);
    }
    raw_aio(const raw_aio&) = delete;
    raw_aio& operator=(const raw_aio&) = delete;

    /// @return 1 or -errno
    [[nodiscard]] long try_submit(iocb& request) const
    {
        iocb* pointer = &request;
        const long taken = ::syscall(SYS_io_submit, context, 1, &pointer);
        return taken < 0 ? -errno : taken;
    }
    void submit(iocb& request) const { REQUIRE(try_submit(request) == 1); }

    /// @return 0 or -errno; 0 never comes, the event tells that it was cancelled
    [[nodiscard]] long cancel(iocb& request) const
    {
        io_event event{};
        return ::syscall(SYS_io_cancel, context, &request, &event) != 0 ? -errno : 0;
    }

    /// Waits for the first event at most @p seconds. @return how many came, with those after it
    [[nodiscard]] std::size_t reap(std::span<io_event> events, time_t seconds) const
    {
        timespec timeout{seconds, 0};
        const long got = ::syscall(SYS_io_getevents, context, seconds != 0 ? 1 : 0, events.size(),
                                   events.data(), &timeout);
        return static_cast<std::size_t>(std::max(got, 0L));
    }

    aio_context_t context = 0;
};
