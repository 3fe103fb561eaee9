// SPDX-License-Identifier: MIT
#include <liburing.h>

#include <algorithm>

#include <fmt/core.h>

#include "backends.hpp"
#include "scullpin/error.hpp"

namespace scullpin {

namespace {

/// Comes back with the answer to a cancellation, which is nobody's completion.
constexpr std::uint64_t cancel_tag = ~std::uint64_t{0};

class io_uring_backend : public backend {
public:
    io_uring_backend(int fd, unsigned depth, std::span<std::byte> registered)
        : fd_(fd), registered_(registered)
    {
        const int ret = io_uring_queue_init(depth, &ring_, 0);
        if (ret < 0) throw_error(-ret, fmt::format("io_uring_queue_init for {} requests", depth));
        if (registered.empty()) return;
        const iovec whole{registered.data(), registered.size()};
        const int error = io_uring_register_buffers(&ring_, &whole, 1);
        if (error == 0) return;
        io_uring_queue_exit(&ring_);
        throw_error(-error, fmt::format("register a buffer of {} bytes", registered.size()));
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
            io_uring_sqe* entry = next_entry();
            if (op.segments.empty())
                prepare(*entry, op);
            else
                prepare_segments(*entry, op);
            io_uring_sqe_set_data64(entry, op.tag);
        }
        flush();
    }

    void cancel(std::uint64_t tag) override
    {
        io_uring_sqe* entry = next_entry();
        io_uring_prep_cancel64(entry, tag, 0);
        io_uring_sqe_set_data64(entry, cancel_tag);
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
    io_uring_sqe* next_entry()
    {
        io_uring_sqe* entry = io_uring_get_sqe(&ring_);
        if (entry != nullptr) return entry;
        flush();
        return io_uring_get_sqe(&ring_);
    }

    [[nodiscard]] bool is_registered(std::span<const std::byte> memory) const
    {
        return !registered_.empty() && memory.data() >= registered_.data() &&
               memory.data() + memory.size() <= registered_.data() + registered_.size();
    }

    void prepare(io_uring_sqe& entry, const operation& op) const
    {
        const auto length = static_cast<unsigned>(op.memory.size());
        const bool read = op.dir == direction::read;
        if (is_registered(op.memory) && read)
            io_uring_prep_read_fixed(&entry, fd_, op.memory.data(), length, op.offset, 0);
        else if (is_registered(op.memory))
            io_uring_prep_write_fixed(&entry, fd_, op.memory.data(), length, op.offset, 0);
        else if (read)
            io_uring_prep_read(&entry, fd_, op.memory.data(), length, op.offset);
        else
            io_uring_prep_write(&entry, fd_, op.memory.data(), length, op.offset);
    }

    void prepare_segments(io_uring_sqe& entry, const operation& op) const
    {
        const auto count = static_cast<unsigned>(op.segments.size());
        if (op.dir == direction::read)
            io_uring_prep_readv(&entry, fd_, op.segments.data(), count, op.offset);
        else
            io_uring_prep_writev(&entry, fd_, op.segments.data(), count, op.offset);
    }

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
            const completion end{io_uring_cqe_get_data64(entry), entry->res};
            io_uring_cqe_seen(&ring_, entry);
            in_flight_--;
            if (end.tag == cancel_tag) {
                // -EALREADY: found, but under way.
                if (end.result == 0 || end.result == -EALREADY) cancelled_++;
                continue;
            }
            completions.push_back(end);
            count++;
        }
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
    std::span<std::byte> registered_;
    io_uring ring_{};
};

}  // namespace

std::unique_ptr<backend> make_io_uring_backend(int fd, unsigned depth,
                                               std::span<std::byte> registered)
{
    return std::make_unique<io_uring_backend>(fd, depth, registered);
}

}  // namespace scullpin
