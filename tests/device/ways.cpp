// SPDX-License-Identifier: MIT
#include "ways.hpp"

#include <liburing.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "aio.hpp"

using scullpin::direction;

namespace {

constexpr unsigned wait_seconds = 10;

std::int64_t result_of(ssize_t result)
{
    return result < 0 ? -errno : result;
}

/// Three segments that end off block boundaries where dma_alignment allows it; one when memory is
/// small.
std::array<iovec, 3> cut(std::span<std::byte> memory)
{
    const std::size_t first = memory.size() > 8192 ? 4096 + 512 : memory.size();
    const std::size_t second = (memory.size() - first) / 2 / 512 * 512;
    return {iovec{memory.data(), first}, iovec{memory.data() + first, second},
            iovec{memory.data() + first + second, memory.size() - first - second}};
}

std::int64_t by_read(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset)
{
    if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return -errno;
    const auto result =
        result_of(dir == direction::read ? ::read(fd, memory.data(), memory.size())
                                         : ::write(fd, memory.data(), memory.size()));
    // The shared position follows the bytes.
    if (result >= 0 && ::lseek(fd, 0, SEEK_CUR) != static_cast<off_t>(offset) + result)
        return -EILSEQ;
    return result;
}

std::int64_t by_pread(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset)
{
    const auto at = static_cast<off_t>(offset);
    return result_of(dir == direction::read ? ::pread(fd, memory.data(), memory.size(), at)
                                            : ::pwrite(fd, memory.data(), memory.size(), at));
}

std::int64_t by_readv(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset)
{
    const auto segments = cut(memory);
    if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return -errno;
    return result_of(dir == direction::read ? ::readv(fd, segments.data(), 3)
                                            : ::writev(fd, segments.data(), 3));
}

std::int64_t by_preadv2(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset)
{
    const auto segments = cut(memory);
    const auto at = static_cast<off_t>(offset);
    return result_of(dir == direction::read ? ::preadv2(fd, segments.data(), 3, at, 0)
                                            : ::pwritev2(fd, segments.data(), 3, at, 0));
}

/// One context for all: making and ending one costs more than the requests.
aio& shared_aio()
{
    static aio context;
    return context;
}

std::int64_t by_libaio(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset)
{
    return shared_aio().run(aio::request(fd,
                                         dir == direction::read ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
                                         memory.data(), memory.size(), offset));
}

std::int64_t by_libaio_vectored(int fd, direction dir, std::span<std::byte> memory,
                                std::uint64_t offset)
{
    const auto segments = cut(memory);
    return shared_aio().run(
        aio::request(fd, dir == direction::read ? IOCB_CMD_PREADV : IOCB_CMD_PWRITEV,
                     segments.data(), 3, offset));
}

/// Prepares one request with @p prepare, submits it, waits for its end.
template <typename Prepare>
std::int64_t with_ring(Prepare prepare)
{
    static io_uring ring{};
    static const int made = io_uring_queue_init(4, &ring, 0);
    if (made < 0) return made;
    prepare(ring, io_uring_get_sqe(&ring));
    io_uring_submit(&ring);
    __kernel_timespec timeout{wait_seconds, 0};
    io_uring_cqe* entry = nullptr;
    const int waited = io_uring_wait_cqe_timeout(&ring, &entry, &timeout);
    if (waited < 0) return waited;
    const std::int64_t result = entry->res;
    io_uring_cqe_seen(&ring, entry);
    io_uring_unregister_buffers(&ring);  // where there are any
    return result;
}

std::int64_t by_uring(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset)
{
    return with_ring([&](io_uring&, io_uring_sqe* entry) {
        const auto length = static_cast<unsigned>(memory.size());
        if (dir == direction::read)
            io_uring_prep_read(entry, fd, memory.data(), length, offset);
        else
            io_uring_prep_write(entry, fd, memory.data(), length, offset);
    });
}

std::int64_t by_uring_vectored(int fd, direction dir, std::span<std::byte> memory,
                               std::uint64_t offset)
{
    const auto segments = cut(memory);
    return with_ring([&](io_uring&, io_uring_sqe* entry) {
        if (dir == direction::read)
            io_uring_prep_readv(entry, fd, segments.data(), 3, offset);
        else
            io_uring_prep_writev(entry, fd, segments.data(), 3, offset);
    });
}

std::int64_t by_uring_fixed(int fd, direction dir, std::span<std::byte> memory,
                            std::uint64_t offset)
{
    return with_ring([&](io_uring& ring, io_uring_sqe* entry) {
        const auto length = static_cast<unsigned>(memory.size());
        const iovec whole{memory.data(), memory.size()};
        if (io_uring_register_buffers(&ring, &whole, 1) < 0)
            io_uring_prep_nop(entry);  // ends with 0 bytes: the test fails
        else if (dir == direction::read)
            io_uring_prep_read_fixed(entry, fd, memory.data(), length, offset, 0);
        else
            io_uring_prep_write_fixed(entry, fd, memory.data(), length, offset, 0);
    });
}

constexpr std::array ways{
    way{"read", false, by_read},
    way{"pread", false, by_pread},
    way{"readv", false, by_readv},
    way{"preadv2", false, by_preadv2},
    way{"libaio", true, by_libaio},
    way{"libaio vectored", true, by_libaio_vectored},
    way{"io_uring", true, by_uring},
    way{"io_uring vectored", true, by_uring_vectored},
    way{"io_uring fixed", true, by_uring_fixed},
};

}  // namespace

std::span<const way> all_ways()
{
    return ways;
}
