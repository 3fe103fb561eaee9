// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <span>

#include <linux/aio_abi.h>

namespace scullpin {

/// Owns a libaio context, by raw system calls: errors are the kernel's own. Move-only.
class aio_context {
public:
    using clock = std::chrono::steady_clock;

    /// @throws std::system_error
    explicit aio_context(unsigned depth);
    aio_context(aio_context&& other) noexcept;
    aio_context& operator=(aio_context&&) = delete;
    /// io_destroy(2), which waits for what is in flight.
    ~aio_context();

    /// io_submit(2) once. @return how many were taken, or -errno
    long submit(std::span<iocb*> requests) noexcept;

    /// io_cancel(2); the event of a request comes in any case. @return whether it was in flight
    bool cancel(iocb& request) noexcept;

    /// io_getevents(2) until at least @p min came or the deadline passed; EINTR is repeated.
    /// @return how many came
    std::size_t wait(std::span<io_event> events, std::size_t min, clock::time_point deadline);

private:
    aio_context_t context_ = 0;
};

}  // namespace scullpin
