// SPDX-License-Identifier: MIT
#include <algorithm>

#include "backends.hpp"
#include "scullpin/aio_context.hpp"
#include "scullpin/error.hpp"

namespace scullpin {

namespace {

class libaio_backend : public backend {
public:
    libaio_backend(int fd, unsigned depth)
        : fd_(fd), context_(depth), requests_(depth), events_(depth)
    {
        for (auto& request : requests_) free_.push_back(&request);
    }

    void submit(std::span<const operation> operations) override
    {
        std::vector<iocb*> batch;
        for (const auto& op : operations) batch.push_back(prepare(op));
        std::span<iocb*> left(batch);
        while (!left.empty()) {
            const long taken = context_.submit(left);
            if (taken == -EINTR || taken == -EAGAIN) continue;
            if (taken < 0) {
                // The first one was refused at once: that is how this operation ended.
                refused_.push_back({left.front()->aio_data, taken});
                free_.push_back(left.front());
            }
            left = left.subspan(taken < 0 ? 1 : static_cast<std::size_t>(taken));
        }
        in_flight_ += operations.size();
    }

    std::size_t reap(std::vector<completion>& completions, std::size_t min,
                     clock::time_point deadline) override
    {
        const std::size_t refused = refused_.size();
        completions.insert(completions.end(), refused_.begin(), refused_.end());
        refused_.clear();
        const std::size_t want = std::min(min > refused ? min - refused : 0, in_flight_ - refused);
        const std::size_t count = context_.wait(events_, want, deadline);
        for (const auto& event : std::span(events_).first(count)) {
            completions.push_back({event.data, event.res});
            free_.push_back(reinterpret_cast<iocb*>(event.obj));  // the kernel's form of a pointer
        }
        in_flight_ -= refused + count;
        return refused + count;
    }

    void cancel(std::uint64_t tag) override
    {
        for (auto& request : requests_)
            if (request.aio_data == tag && context_.cancel(request)) cancelled_++;
    }

private:
    iocb* prepare(const operation& op)
    {
        iocb* request = free_.back();
        free_.pop_back();
        *request = {};
        request->aio_fildes = static_cast<std::uint32_t>(fd_);
        const bool read = op.dir == direction::read;
        if (op.segments.empty()) {
            request->aio_lio_opcode = read ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE;
            request->aio_buf = reinterpret_cast<std::uintptr_t>(op.memory.data());
            request->aio_nbytes = op.memory.size();
        } else {
            request->aio_lio_opcode = read ? IOCB_CMD_PREADV : IOCB_CMD_PWRITEV;
            request->aio_buf = reinterpret_cast<std::uintptr_t>(op.segments.data());
            request->aio_nbytes = op.segments.size();
        }
        request->aio_offset = static_cast<std::int64_t>(op.offset);
        request->aio_data = op.tag;
        return request;
    }

    int fd_;
    aio_context context_;
    std::vector<iocb> requests_;
    std::vector<io_event> events_;
    std::vector<iocb*> free_;
    std::vector<completion> refused_;
};

}  // namespace

std::unique_ptr<backend> make_libaio_backend(int fd, unsigned depth)
{
    return std::make_unique<libaio_backend>(fd, depth);
}

}  // namespace scullpin
