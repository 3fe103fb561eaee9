// SPDX-License-Identifier: MIT
#include <liburing.h>

#include <algorithm>

#include <fmt/core.h>

#include "backends.hpp"
#include "scullpin/error.hpp"

namespace scullpin {

namespace {

class io_uring_backend : public backend {
public:
    io_uring_backend(int fd, unsigned depth) : fd_(fd)
    {
        const int ret = io_uring_queue_init(depth, &ring_, 0);
        if (ret < 0) throw_error(-ret, fmt::format("io_uring_queue_init for {} requests", depth));
    }

    ~io_uring_backend() override
    {
        // The kernel cancels or ends what is in flight, but our caller's memory must not be
        // written afterwards: wait.
        std::vector<completion> ignored;
        try {
            reap(ignored, in_flight_, clock::time_point::max());
        } catch (const std::system_error&) {  // nothing left to try
        }
        io_uring_queue_exit(&ring_);
    }

    void submit(std::span<const operation> operations) override
    {
        for (const auto& op : operations) {
            io_uring_sqe* entry = io_uring_get_sqe(&ring_);
            if (entry == nullptr) {
                flush();
                entry = io_uring_get_sqe(&ring_);
            }
            const auto length = static_cast<unsigned>(op.memory.size());
            if (op.dir == direction::read)
                io_uring_prep_read(entry, fd_, op.memory.data(), length, op.offset);
            else
                io_uring_prep_write(entry, fd_, op.memory.data(), length, op.offset);
            io_uring_sqe_set_data64(entry, op.tag);
        }
        flush();
    }

    std::size_t reap(std::vector<completion>& completions, std::size_t min,
                     clock::time_point deadline) override
    {
        std::size_t count = take(completions);
        min = std::min(min, count + in_flight_);
        while (count < min && wait_one(deadline)) count += take(completions);
        return count;
    }

private:
    void flush()
    {
        while (io_uring_sq_ready(&ring_) > 0) {
            const int ret = io_uring_submit(&ring_);
            if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
                throw_error(-ret, "io_uring_submit");
            // Only what the kernel has taken comes back.
            if (ret > 0) in_flight_ += static_cast<std::size_t>(ret);
        }
    }

    std::size_t take(std::vector<completion>& completions)
    {
        std::size_t count = 0;
        io_uring_cqe* entry = nullptr;
        while (io_uring_peek_cqe(&ring_, &entry) == 0) {
            completions.push_back({io_uring_cqe_get_data64(entry), entry->res});
            io_uring_cqe_seen(&ring_, entry);
            count++;
        }
        in_flight_ -= count;
        return count;
    }

    /// False when the deadline has passed.
    bool wait_one(clock::time_point deadline)
    {
        using namespace std::chrono;
        for (;;) {
            const auto left = deadline == clock::time_point::max()
                                  ? nanoseconds(hours(1))
                                  : nanoseconds(deadline - clock::now());
            if (left <= nanoseconds(0)) return false;
            __kernel_timespec timeout{left / seconds(1), (left % seconds(1)).count()};
            io_uring_cqe* entry = nullptr;
            const int ret = io_uring_wait_cqe_timeout(&ring_, &entry, &timeout);
            if (ret == 0) return true;
            if (ret != -EINTR && ret != -ETIME && ret != -EAGAIN)
                throw_error(-ret, "io_uring_wait_cqe_timeout");
        }
    }

    int fd_;
    io_uring ring_{};
};

}  // namespace

std::unique_ptr<backend> make_io_uring_backend(int fd, unsigned depth)
{
    return std::make_unique<io_uring_backend>(fd, depth);
}

}  // namespace scullpin
