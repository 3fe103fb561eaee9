// SPDX-License-Identifier: MIT
#include "scullpin/aio_context.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin {

aio_context::aio_context(unsigned depth)
{
    if (::syscall(SYS_io_setup, depth, &context_) != 0)
        throw_errno(fmt::format("io_setup for {} requests", depth));
}

aio_context::aio_context(aio_context&& other) noexcept : context_(std::exchange(other.context_, 0))
{
}

aio_context::~aio_context()
{
    if (context_ != 0) ::syscall(SYS_io_destroy, context_);
}

long aio_context::submit(std::span<iocb*> requests) noexcept
{
    const long taken =
        ::syscall(SYS_io_submit, context_, static_cast<long>(requests.size()), requests.data());
    return taken < 0 ? -errno : taken;
}

bool aio_context::cancel(iocb& request) noexcept
{
    io_event ignored{};
    return ::syscall(SYS_io_cancel, context_, &request, &ignored) != 0 && errno == EINPROGRESS;
}

std::size_t aio_context::wait(std::span<io_event> events, std::size_t min,
                              clock::time_point deadline)
{
    std::size_t count = 0;
    for (;;) {
        using namespace std::chrono;
        const auto left = deadline == clock::time_point::max()
                              ? nanoseconds(hours(1))
                              : std::max(nanoseconds(0), nanoseconds(deadline - clock::now()));
        timespec timeout{static_cast<time_t>(left / seconds(1)),
                         static_cast<long>((left % seconds(1)).count())};
        const long want = static_cast<long>(min > count ? min - count : 0);
        const long got =
            ::syscall(SYS_io_getevents, context_, want, static_cast<long>(events.size() - count),
                      events.data() + count, &timeout);
        if (got < 0 && errno != EINTR) throw_errno("io_getevents");
        count += static_cast<std::size_t>(std::max(got, 0L));
        if (count >= min || clock::now() >= deadline) return count;
    }
}

}  // namespace scullpin
