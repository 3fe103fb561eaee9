// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include <linux/aio_abi.h>
#include <sys/uio.h>

#include <catch_amalgamated.hpp>

#include "scullpin/aio_context.hpp"

/// libaio as tests need it: every step visible, every wait bounded.
class aio {
public:
    explicit aio(unsigned depth = 32) : context_(depth) {}
    aio(const aio&) = delete;
    aio& operator=(const aio&) = delete;

    /// io_destroy would wait for a lost completion for ever, and the test that found it would never
    /// say so: the end of the process may wait instead.
    ~aio()
    {
        static std::vector<scullpin::aio_context> lost;
        if (in_flight_ != 0) lost.push_back(std::move(context_));
    }

    static iocb request(int fd, int opcode, const void* memory, std::size_t length,
                        std::uint64_t offset)
    {
        iocb result{};
        result.aio_fildes = static_cast<std::uint32_t>(fd);
        result.aio_lio_opcode = static_cast<std::uint16_t>(opcode);
        result.aio_buf = reinterpret_cast<std::uintptr_t>(memory);
        result.aio_nbytes = length;
        result.aio_offset = static_cast<std::int64_t>(offset);
        return result;
    }

    /// io_submit of one; @return 1 or -errno
    long submit(iocb& request)
    {
        iocb* pointer = &request;
        const long taken = context_.submit({&pointer, 1});
        in_flight_ += taken == 1;
        return taken;
    }

    /// Waits for @p count events at most @p seconds; the test fails when fewer came.
    std::vector<io_event> wait(std::size_t count, double seconds = 10.0)
    {
        std::vector<io_event> events(count);
        const auto deadline = scullpin::aio_context::clock::now() +
                              std::chrono::duration_cast<std::chrono::nanoseconds>(
                                  std::chrono::duration<double>(seconds));
        INFO("a completion that never comes is a lost one");
        const std::size_t got = context_.wait(events, count, deadline);
        in_flight_ -= got;
        REQUIRE(got == count);
        return events;
    }

    /// Events that are there now.
    std::size_t poll()
    {
        std::vector<io_event> events(1);
        const std::size_t got = context_.wait(events, 0, scullpin::aio_context::clock::now());
        in_flight_ -= got;
        return got;
    }

    /// Submits one and waits. @return bytes or -errno, also when io_submit itself refuses
    std::int64_t run(iocb request)
    {
        const long taken = submit(request);
        return taken != 1 ? taken : wait(1).front().res;
    }

private:
    scullpin::aio_context context_;
    std::size_t in_flight_ = 0;
};

/// Submits a write of the same @p page to each of the first @p count pages of a file.
inline void submit_to_each_page(scullpin::aio_context& context, int fd,
                                std::span<const std::byte> page, std::size_t count)
{
    for (std::size_t i = 0; i < count; i++) {
        iocb request = aio::request(fd, IOCB_CMD_PWRITE, page.data(), page.size(), i * page.size());
        iocb* pointer = &request;
        REQUIRE(context.submit({&pointer, 1}) == 1);
    }
}
