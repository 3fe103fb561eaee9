// SPDX-License-Identifier: MIT
#include "loop.hpp"

#include <liburing.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "position.hpp"
#include "scullpin/error.hpp"

namespace scullpin::measure {

namespace {

void check(std::int64_t result, std::size_t size)
{
    if (result == static_cast<std::int64_t>(size)) [[likely]]
        return;
    throw_error(result < 0 ? static_cast<int>(-result) : EIO, "an I/O was not of full length");
}

struct real_calls {
    static std::int64_t move(int fd, bool write, std::byte* memory, std::size_t size,
                             std::uint64_t offset)
    {
        const auto at = static_cast<off_t>(offset);
        const auto moved = write ? ::pwrite(fd, memory, size, at) : ::pread(fd, memory, size, at);
        return moved < 0 ? -errno : moved;
    }
    static long submit(aio_context_t context, std::vector<iocb*>& requests)
    {
        return ::syscall(SYS_io_submit, context, requests.size(), requests.data());
    }
    static long reap(aio_context_t context, std::vector<io_event>& events)
    {
        return ::syscall(SYS_io_getevents, context, events.size(), events.size(), events.data(),
                         nullptr);
    }
};

/// They succeed, and the compiler does not see how.
struct empty_calls {
    static std::int64_t move(int, bool, std::byte*, std::size_t size, std::uint64_t)
    {
        asm volatile("" : "+r"(size));
        return static_cast<std::int64_t>(size);
    }
    static long submit(aio_context_t, std::vector<iocb*>& requests)
    {
        asm volatile("" ::: "memory");
        return static_cast<long>(requests.size());
    }
    static long reap(aio_context_t, std::vector<io_event>& events)
    {
        asm volatile("" ::: "memory");
        return static_cast<long>(events.size());
    }
};

template <typename Calls>
class sync_loop : public loop {
public:
    sync_loop(const cell& kind, const target& on)
        : on_(on), write_(kind.write), size_(kind.size), position_(on.span, kind.size)
    {
    }

    void run(std::size_t count) override
    {
        for (; count > 0; count--)
            check(Calls::move(on_.fd, write_, on_.memory.data(), size_, position_.next()), size_);
    }

private:
    target on_;
    bool write_;
    std::size_t size_;
    position position_;
};

template <typename Calls>
class libaio_loop : public loop {
public:
    libaio_loop(const cell& kind, const target& on)
        : size_(kind.size),
          position_(on.span, kind.size),
          requests_(kind.depth),
          pointers_(kind.depth),
          events_(kind.depth)
    {
        if (::syscall(SYS_io_setup, kind.depth, &context_) != 0) throw_errno("io_setup");
        for (std::size_t i = 0; i < requests_.size(); i++) {
            iocb& request = requests_[i];
            request.aio_lio_opcode = kind.write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
            request.aio_fildes = static_cast<std::uint32_t>(on.fd);
            request.aio_buf = reinterpret_cast<std::uint64_t>(&on.memory[i * size_]);
            request.aio_nbytes = size_;
            pointers_[i] = &request;
            // What calls that do nothing leave there.
            events_[i].res = static_cast<std::int64_t>(size_);
        }
    }
    ~libaio_loop() override { ::syscall(SYS_io_destroy, context_); }

    void run(std::size_t count) override
    {
        for (; count > 0; count -= requests_.size()) {
            for (auto& request : requests_)
                request.aio_offset = static_cast<std::int64_t>(position_.next());
            if (Calls::submit(context_, pointers_) != static_cast<long>(requests_.size()))
                throw_errno("io_submit");
            if (Calls::reap(context_, events_) != static_cast<long>(events_.size()))
                throw_errno("io_getevents");
            for (const auto& event : events_) check(event.res, size_);
        }
    }

private:
    std::size_t size_;
    position position_;
    std::vector<iocb> requests_;
    std::vector<iocb*> pointers_;
    std::vector<io_event> events_;
    aio_context_t context_ = 0;
};

class io_uring_loop : public loop {
public:
    io_uring_loop(const cell& kind, const target& on, bool empty)
        : kind_(kind), on_(on), empty_(empty), position_(on.span, kind.size)
    {
        if (const int error = ::io_uring_queue_init(kind.depth, &ring_, 0); error < 0)
            throw_error(-error, "io_uring_setup");
        if (!kind.fixed) return;
        const iovec whole{on.memory.data(), on.memory.size()};
        if (const int error = ::io_uring_register_buffers(&ring_, &whole, 1); error < 0) {
            ::io_uring_queue_exit(&ring_);
            throw_error(-error, "register buffers");
        }
    }
    ~io_uring_loop() override
    {
        ::io_uring_queue_exit(&ring_);
        // The kernel tears rings down in the background: let it, outside what is measured.
        ::usleep(60'000);
    }

    void run(std::size_t count) override
    {
        for (; count > 0; count -= kind_.depth) {
            for (unsigned i = 0; i < kind_.depth; i++) prepare(i);
            if (::io_uring_submit_and_wait(&ring_, kind_.depth) != static_cast<int>(kind_.depth))
                throw_error(EIO, "io_uring_enter");
            reap();
        }
    }

private:
    void prepare(unsigned i)
    {
        io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
        std::byte* memory = &on_.memory[i * kind_.size];
        const auto size = static_cast<unsigned>(kind_.size);
        const auto offset = position_.next();
        if (empty_)
            ::io_uring_prep_nop(entry);
        else if (kind_.fixed && kind_.write)
            ::io_uring_prep_write_fixed(entry, on_.fd, memory, size, offset, 0);
        else if (kind_.fixed)
            ::io_uring_prep_read_fixed(entry, on_.fd, memory, size, offset, 0);
        else if (kind_.write)
            ::io_uring_prep_write(entry, on_.fd, memory, size, offset);
        else
            ::io_uring_prep_read(entry, on_.fd, memory, size, offset);
    }

    void reap()
    {
        unsigned head = 0, seen = 0;
        io_uring_cqe* entry = nullptr;
        io_uring_for_each_cqe(&ring_, head, entry)
        {
            check(entry->res, empty_ ? 0 : kind_.size);
            seen++;
        }
        ::io_uring_cq_advance(&ring_, seen);
        if (seen != kind_.depth) throw_error(EIO, "fewer completions than submissions");
    }

    cell kind_;
    target on_;
    bool empty_;
    position position_;
    io_uring ring_{};
};

template <typename Calls>
std::unique_ptr<loop> make(const cell& kind, const target& on, bool empty)
{
    switch (kind.how) {
    case api::sync: return std::make_unique<sync_loop<Calls>>(kind, on);
    case api::libaio: return std::make_unique<libaio_loop<Calls>>(kind, on);
    case api::io_uring: break;
    }
    return std::make_unique<io_uring_loop>(kind, on, empty);
}

}  // namespace

std::unique_ptr<loop> make_loop(const cell& kind, const target& on)
{
    return make<real_calls>(kind, on, false);
}

std::unique_ptr<loop> make_empty_loop(const cell& kind, const target& on)
{
    return make<empty_calls>(kind, on, true);
}

}  // namespace scullpin::measure
