// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <sys/uio.h>

namespace scullpin {

enum class direction { read, write };

/// One transfer between memory and a file. The memory must live until its completion was reaped.
struct operation {
    direction dir = direction::read;
    std::uint64_t offset = 0;
    std::span<std::byte> memory;
    std::uint64_t tag = 0;  ///< comes back in the completion; not the greatest number
    /// The same bytes as @ref memory in pieces, for vectored, libaio and io_uring; must live until
    /// the completion was reaped. Empty: memory is one piece.
    std::span<const iovec> segments = {};
};

/// How one operation ended.
struct completion {
    std::uint64_t tag = 0;
    std::int64_t result = 0;  ///< bytes, possibly fewer than asked, or the kernel's -errno
};

enum class backend_kind { sync, vectored, libaio, io_uring, mmap };

[[nodiscard]] const char* to_string(backend_kind kind);

/// Every kind, for tables and options.
[[nodiscard]] std::span<const backend_kind> all_backend_kinds();

/// A way to move operations on one open file. Not thread-safe: one owner at a time.
///
/// Failures of an operation are values in its completion; failures of the back end itself throw
/// std::system_error. EINTR is handled inside; short results are reported, not continued.
class backend {
public:
    using clock = std::chrono::steady_clock;

    backend() = default;
    backend(const backend&) = delete;
    backend& operator=(const backend&) = delete;
    /// Waits for what is in flight.
    virtual ~backend() = default;

    /// Starts every operation; at most depth() may be in flight.
    virtual void submit(std::span<const operation> operations) = 0;

    /// Appends completions, at least @p min of them unless @p deadline passes first.
    /// @return how many were appended
    virtual std::size_t reap(std::vector<completion>& completions, std::size_t min,
                             clock::time_point deadline = clock::time_point::max()) = 0;

    /// Asks the kernel to end the operation with @p tag early, where the back end can: its
    /// completion comes in any case, once.
    virtual void cancel(std::uint64_t tag) { static_cast<void>(tag); }

    [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
    /// How many cancellations found their operation in flight.
    [[nodiscard]] std::uint64_t cancelled() const noexcept { return cancelled_; }

protected:
    std::size_t in_flight_ = 0;
    std::uint64_t cancelled_ = 0;
};

/// @param fd stays open longer than the back end
/// @param depth operations in flight at most, more than 0
/// @param registered io_uring: memory to register as a fixed buffer, which operations within it
/// use; lives longer than the back end. Others do not look at it
/// @throws std::system_error when the kernel refuses
[[nodiscard]] std::unique_ptr<backend> make_backend(backend_kind kind, int fd, unsigned depth,
                                                    std::span<std::byte> registered = {});

}  // namespace scullpin
