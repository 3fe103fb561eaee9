// SPDX-License-Identifier: MIT
// Runs in a child of a program with threads: system calls and computation only.
#include "victim.hpp"

#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace scullpin::stress {

namespace {

constexpr std::size_t depth = 8;

/// Request @p i of a round: every second one reads.
iocb prepare(const victim& what, std::size_t i, std::uint64_t round)
{
    const std::size_t length = what.home.length;
    const auto memory = what.memory.subspan(i * length, length);
    identity who = what.home;
    who.offset += (round * depth + i) * 7 % what.blocks * length;
    who.sequence = what.sequence + round;
    iocb request{};
    request.aio_fildes = static_cast<std::uint32_t>(what.fd);
    request.aio_buf = reinterpret_cast<std::uintptr_t>(memory.data());
    request.aio_nbytes = length;
    request.aio_offset = static_cast<std::int64_t>(who.offset);
    request.aio_lio_opcode = i % 2 == 0 ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
    if (i % 2 == 0) fill_block(memory, who);
    return request;
}

[[noreturn]] void live(const victim& what)
{
    aio_context_t context = 0;
    if (what.group_fd >= 0 && ::write(what.group_fd, "0", 1) != 1) ::_exit(errno);
    if (::syscall(SYS_io_setup, depth, &context) != 0) ::_exit(errno);
    std::array<iocb, depth> requests{};
    std::array<iocb*, depth> pointers{};
    std::array<io_event, depth> events{};
    std::size_t touched = 0;
    for (std::uint64_t round = 0;; round++) {
        for (std::size_t i = 0; i < depth; i++) {
            requests[i] = prepare(what, i, round);
            pointers[i] = &requests[i];
        }
        const long taken = ::syscall(SYS_io_submit, context, depth, pointers.data());
        if (round == 0 && (taken < 0 || ::write(what.begun_fd, "!", 1) != 1)) ::_exit(errno);
        // A few pages more each round, while the requests are in flight.
        for (int i = 0; i < 64 && touched < what.hoard.size(); i++, touched += 4096)
            what.hoard[touched] = std::byte{1};
        if (taken > 0) ::syscall(SYS_io_getevents, context, taken, taken, events.data(), nullptr);
    }
}

}  // namespace

pid_t start(const victim& what)
{
    const pid_t child = ::fork();
    if (child == 0) live(what);
    return child;
}

}  // namespace scullpin::stress
