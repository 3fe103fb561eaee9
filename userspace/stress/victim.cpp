// SPDX-License-Identifier: MIT
// Runs in a child of a program with threads: system calls and computation only.
#include "victim.hpp"

#include <liburing.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace scullpin::stress {

namespace {

/// Bytes of the hoard that are touched a round.
constexpr std::size_t hoard_step = std::size_t{4} << 20;

/// One request of a round.
struct transfer {
    bool write = false;
    std::span<std::byte> memory;
    std::uint64_t offset = 0;
};

/// Request @p i of a round. Every second one reads; each pair has a part of the blocks for itself,
/// and a length of its own.
transfer prepare(const victim& what, std::size_t i, std::uint64_t round)
{
    const std::size_t block_bytes = what.home.length;
    const std::size_t part = what.blocks / std::min(victim_depth / 2, what.blocks);
    const std::size_t longest = std::min(part, what.most_blocks);
    const std::size_t count = std::max<std::size_t>(longest >> (i / 2), 1);
    const std::size_t first = i / 2 * part + round * 7 % (part - count + 1);
    transfer one{i % 2 == 0,
                 what.memory.subspan(i * what.most_blocks * block_bytes, count * block_bytes),
                 what.home.offset + first * block_bytes};
    identity who = what.home;
    who.sequence = what.sequence + round;
    for (std::size_t at = 0; one.write && at < count; at++) {
        who.offset = one.offset + at * block_bytes;
        fill_block(one.memory.subspan(at * block_bytes, block_bytes), who);
    }
    return one;
}

/// Of blocks that are fewer than the pairs, each has a pair.
std::size_t depth_of(const victim& what)
{
    return std::min(victim_depth, 2 * what.blocks);
}

/// After the submission of a round.
void go_on(const victim& what, std::uint64_t round)
{
    if (round == 0 && ::write(what.begun_fd, "!", 1) != 1) ::_exit(errno);
    // Some pages more each round, while the requests are in flight.
    const auto next = what.hoard.subspan(std::min(round * hoard_step, what.hoard.size()));
    for (std::size_t at = 0; at < std::min(next.size(), hoard_step); at += 4096)
        next[at] = std::byte{1};
}

[[noreturn]] void live_by_libaio(const victim& what)
{
    aio_context_t context = 0;
    if (::syscall(SYS_io_setup, victim_depth, &context) != 0) ::_exit(errno);
    std::array<iocb, victim_depth> requests{};
    std::array<iocb*, victim_depth> pointers{};
    std::array<io_event, victim_depth> events{};
    for (std::uint64_t round = 0;; round++) {
        for (std::size_t i = 0; i < depth_of(what); i++) {
            const auto one = prepare(what, i, round);
            requests[i] = {};
            requests[i].aio_fildes = static_cast<std::uint32_t>(what.fd);
            requests[i].aio_buf = reinterpret_cast<std::uintptr_t>(one.memory.data());
            requests[i].aio_nbytes = one.memory.size();
            requests[i].aio_offset = static_cast<std::int64_t>(one.offset);
            requests[i].aio_lio_opcode = one.write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
            pointers[i] = &requests[i];
        }
        const long taken = ::syscall(SYS_io_submit, context, depth_of(what), pointers.data());
        if (taken < 0 && round == 0) ::_exit(errno);
        go_on(what, round);
        if (taken > 0) ::syscall(SYS_io_getevents, context, taken, taken, events.data(), nullptr);
    }
}

/// All that is prepared: the memory of what is left would be that of the next round.
void submit(io_uring& ring)
{
    while (io_uring_sq_ready(&ring) > 0) {
        const int error = io_uring_submit(&ring);
        if (error < 0 && error != -EINTR && error != -EAGAIN && error != -EBUSY) ::_exit(-error);
    }
}

[[noreturn]] void live_by_io_uring(const victim& what)
{
    io_uring ring{};
    const int error = io_uring_queue_init(victim_depth, &ring, 0);
    if (error < 0) ::_exit(-error);
    for (std::uint64_t round = 0;; round++) {
        for (std::size_t i = 0; i < depth_of(what); i++) {
            io_uring_sqe* entry = io_uring_get_sqe(&ring);
            const auto one = prepare(what, i, round);
            const auto length = static_cast<unsigned>(one.memory.size());
            if (one.write)
                io_uring_prep_write(entry, what.fd, one.memory.data(), length, one.offset);
            else
                io_uring_prep_read(entry, what.fd, one.memory.data(), length, one.offset);
            // What would end within the call has a thread of the kernel.
            if (!what.by.direct) io_uring_sqe_set_flags(entry, IOSQE_ASYNC);
        }
        submit(ring);
        go_on(what, round);
        io_uring_cqe* ended = nullptr;
        for (std::size_t i = 0; i < depth_of(what) && io_uring_wait_cqe(&ring, &ended) == 0; i++)
            io_uring_cqe_seen(&ring, ended);
    }
}

[[noreturn]] void live(const victim& what)
{
    if (what.group_fd >= 0 && ::write(what.group_fd, "0", 1) != 1) ::_exit(errno);
    if (what.by.how == backend_kind::io_uring) live_by_io_uring(what);
    live_by_libaio(what);
}

}  // namespace

std::vector<way> victim_ways(const abilities& can)
{
    std::vector<way> ways;
    std::copy_if(can.ways.begin(), can.ways.end(), std::back_inserter(ways), is_asynchronous);
    if (std::any_of(ways.begin(), ways.end(), [](const way& by) { return by.direct; }))
        std::erase_if(ways, [](const way& by) { return !by.direct; });
    return ways;
}

pid_t start(const victim& what)
{
    const pid_t child = ::fork();
    if (child == 0) live(what);
    return child;
}

}  // namespace scullpin::stress
