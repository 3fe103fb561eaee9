// SPDX-License-Identifier: MIT
// The back ends whose operations end within submit(): pread, preadv2 and a mapping.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "backends.hpp"
#include "bus_guard.hpp"

namespace scullpin {

namespace {

/// Runs a call until it is not interrupted; -errno instead of -1.
template <typename Call>
std::int64_t repeat(Call call)
{
    for (;;) {
        const auto result = call();
        if (result >= 0) return result;
        if (errno != EINTR) return -errno;
    }
}

std::int64_t run_plain(int fd, const operation& op)
{
    const auto offset = static_cast<off_t>(op.offset);
    return repeat([&] {
        return op.dir == direction::read ? ::pread(fd, op.memory.data(), op.memory.size(), offset)
                                         : ::pwrite(fd, op.memory.data(), op.memory.size(), offset);
    });
}

std::int64_t run_segments(int fd, const operation& op, std::span<const iovec> segments)
{
    const auto count = static_cast<int>(segments.size());
    const auto offset = static_cast<off_t>(op.offset);
    return repeat([&] {
        return op.dir == direction::read ? ::preadv2(fd, segments.data(), count, offset, 0)
                                         : ::pwritev2(fd, segments.data(), count, offset, 0);
    });
}

/// The segments of the operation, or four, cut at multiples of 4096 bytes where there are as many,
/// so still aligned.
std::int64_t run_vectored(int fd, const operation& op)
{
    std::array<iovec, 4> segments{};
    std::size_t used = 0;
    if (!op.segments.empty()) return run_segments(fd, op, op.segments);
    const std::size_t quarter = std::max<std::size_t>(op.memory.size() / 4 / 4096 * 4096, 4096);
    for (std::size_t at = 0; at < op.memory.size(); used++) {
        const bool last = used + 1 == segments.size();
        const std::size_t length =
            last ? op.memory.size() - at : std::min(quarter, op.memory.size() - at);
        segments[used] = {op.memory.data() + at, length};
        at += length;
    }
    return run_segments(fd, op, std::span(segments).first(used));
}

/// Bytes of an operation that a mapping reaches: beyond the end of the file is a signal. A write
/// makes a file longer, as write(2) does.
std::int64_t mappable(int fd, const operation& op)
{
    const std::uint64_t needed = op.offset + op.memory.size();
    struct stat status {};
    if (::fstat(fd, &status) != 0) return -errno;
    const auto end = ::lseek(fd, 0, SEEK_END);
    // Many character devices do not say where they end.
    if (S_ISCHR(status.st_mode) && end <= 0) return static_cast<std::int64_t>(op.memory.size());
    if (end < 0) return -errno;
    const auto size = static_cast<std::uint64_t>(end);
    if (size >= needed) return static_cast<std::int64_t>(op.memory.size());
    if (op.dir == direction::read)
        return static_cast<std::int64_t>(size - std::min(size, op.offset));
    if (!S_ISREG(status.st_mode)) return -ENOSPC;
    return ::ftruncate(fd, static_cast<off_t>(needed)) != 0
               ? -errno
               : static_cast<std::int64_t>(op.memory.size());
}

/// Copies by the processor. @return whether all of the pages could be had
bool copy_guarded(std::byte* to, const std::byte* from, std::size_t bytes)
{
    bus_guard guard;
    if (sigsetjmp(guard.back(), 1) != 0) return false;
    std::memcpy(to, from, bytes);
    return true;
}

/// Maps the pages of one operation, copies, unmaps.
std::int64_t run_mapped(int fd, const operation& op)
{
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t skip = op.offset % page;
    const bool read = op.dir == direction::read;
    const auto reach = mappable(fd, op);
    if (reach <= 0) return reach;
    const std::size_t length = static_cast<std::size_t>(reach) + skip;
    void* mapping = ::mmap(nullptr, length, read ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED,
                           fd, static_cast<off_t>(op.offset - skip));
    if (mapping == MAP_FAILED) return -errno;
    auto* bytes = static_cast<std::byte*>(mapping) + skip;
    const bool copied =
        copy_guarded(read ? op.memory.data() : bytes, read ? bytes : op.memory.data(),
                     static_cast<std::size_t>(reach));
    ::munmap(mapping, length);
    return copied ? reach : -EIO;
}

using run_function = std::int64_t (*)(int fd, const operation& op);

class immediate_backend : public backend {
public:
    immediate_backend(int fd, run_function run) : fd_(fd), run_(run) {}

    void submit(std::span<const operation> operations) override
    {
        for (const auto& op : operations) {
            ended_.push_back({op.tag, run_(fd_, op)});
            in_flight_++;
        }
    }

    std::size_t reap(std::vector<completion>& completions, std::size_t, clock::time_point) override
    {
        const std::size_t count = ended_.size();
        completions.insert(completions.end(), ended_.begin(), ended_.end());
        ended_.clear();
        in_flight_ = 0;
        return count;
    }

private:
    int fd_;
    run_function run_;
    std::vector<completion> ended_;
};

}  // namespace

std::unique_ptr<backend> make_sync_backend(int fd, unsigned)
{
    return std::make_unique<immediate_backend>(fd, run_plain);
}

std::unique_ptr<backend> make_vectored_backend(int fd, unsigned)
{
    return std::make_unique<immediate_backend>(fd, run_vectored);
}

std::unique_ptr<backend> make_mmap_backend(int fd, unsigned)
{
    return std::make_unique<immediate_backend>(fd, run_mapped);
}

}  // namespace scullpin
