// SPDX-License-Identifier: MIT
#include "layout.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "page.hpp"
#include "pool.hpp"
#include "scullpin/aligned_buffer.hpp"

namespace scullpin::bufferpool {

namespace {

/// Pages written by one call.
constexpr std::uint64_t run_of_pages = 64;

void write_run(const device& node, std::span<const std::byte> bytes, page_number first,
               std::size_t page_bytes)
{
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto at = static_cast<off_t>(first * page_bytes + done);
        const ssize_t moved = ::pwrite(node.fd(), bytes.data() + done, bytes.size() - done, at);
        if (moved < 0 && errno == EINTR) continue;
        if (moved <= 0)
            throw page_error(moved < 0 ? errno : EIO, "write", first + done / page_bytes);
        done += static_cast<std::size_t>(moved);
    }
}

}  // namespace

void lay_out(const device& node, std::uint64_t pages, std::size_t page_bytes)
{
    const aligned_buffer buffer(run_of_pages * page_bytes);
    for (page_number first = 0; first < pages; first += run_of_pages) {
        const auto count = std::min(run_of_pages, pages - first);
        for (std::uint64_t i = 0; i < count; i++)
            seal(buffer.span().subspan(i * page_bytes, page_bytes), first + i, 0);
        write_run(node, buffer.span().first(count * page_bytes), first, page_bytes);
    }
    node.sync();
}

void forget_cached(const device& node)
{
    ::posix_fadvise(node.fd(), 0, 0, POSIX_FADV_DONTNEED);
}

}  // namespace scullpin::bufferpool
