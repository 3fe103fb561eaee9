// SPDX-License-Identifier: MIT
#pragma once

#include <liburing.h>
#include <sys/uio.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <span>

#include <catch_amalgamated.hpp>

/// io_uring as tests need it: every wait bounded. Closing it does not wait for what is in flight.
class ring {
public:
    /// @param flags of io_uring_setup(2)
    explicit ring(unsigned depth = 32, unsigned flags = 0)
    {
        REQUIRE(io_uring_queue_init(depth, &ring_, flags) == 0);
    }
    ~ring() { io_uring_queue_exit(&ring_); }
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;

    /// Registers memory as the buffer of index 0.
    void register_buffer(std::span<std::byte> memory)
    {
        const iovec whole{memory.data(), memory.size()};
        REQUIRE(io_uring_register_buffers(&ring_, &whole, 1) == 0);
    }
    void unregister_buffer() { REQUIRE(io_uring_unregister_buffers(&ring_) == 0); }

    /// Queues what @p fill makes of an entry.
    template <typename Fill>
    void prepare(Fill fill)
    {
        io_uring_sqe* entry = io_uring_get_sqe(&ring_);
        REQUIRE(entry != nullptr);
        fill(entry);
    }
    /// Submits what is queued. @return how many entries the kernel took, or -errno
    long try_submit() { return io_uring_submit(&ring_); }

    /// Submits what @p fill makes of an entry. @param name comes back with the completion
    template <typename Fill>
    void submit(Fill fill, std::uint64_t name = 0)
    {
        prepare([&](io_uring_sqe* entry) {
            fill(entry);
            io_uring_sqe_set_data64(entry, name);
        });
        const long taken = try_submit();
        // Where a thread of the kernel submits, others may still be with it.
        REQUIRE((taken == 1 || (taken > 1 && (ring_.flags & IORING_SETUP_SQPOLL) != 0)));
    }

    struct completion {
        std::uint64_t name;
        int result;
    };

    /// The next completion; the test fails when none comes in time.
    completion wait()
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        __kernel_timespec timeout{10, 0};
        io_uring_cqe* entry = nullptr;
        INFO("a completion that never comes is a lost one");
        int ret = -ETIME;
        // A ring that polls comes back whenever the processor is asked for.
        while (ret == -ETIME && std::chrono::steady_clock::now() < deadline)
            ret = io_uring_wait_cqe_timeout(&ring_, &entry, &timeout);
        REQUIRE(ret == 0);
        const completion result{entry->user_data, entry->res};
        io_uring_cqe_seen(&ring_, entry);
        return result;
    }

    /// Whether a completion is there now.
    bool poll()
    {
        io_uring_cqe* entry = nullptr;
        return io_uring_peek_cqe(&ring_, &entry) == 0;
    }

    /// Submits and waits. @return bytes or -errno
    template <typename Prepare>
    int run(Prepare prepare)
    {
        submit(prepare);
        return wait().result;
    }

    /// For calls that have no place here.
    io_uring* get() { return &ring_; }

private:
    io_uring ring_{};
};
