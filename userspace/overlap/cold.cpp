// SPDX-License-Identifier: MIT
#include "overlap/cold.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"
#include "scullpin/mapping.hpp"

namespace scullpin::overlap {

namespace {

/// mincore(2) tells those who could write to the file; others hear that all is there.
bool may_ask(int fd, const std::string& path)
{
    struct stat status {};
    return ::fstat(fd, &status) == 0 &&
           (status.st_uid == ::geteuid() ||
            ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0);
}

std::optional<std::uint64_t> cached_bytes(int fd, std::size_t length)
{
    try {
        const auto there = mapping(fd, length, PROT_READ, "mmap").resident();
        const auto count = std::count(there.begin(), there.end(), true);
        return static_cast<std::uint64_t>(count) * mapping::page_bytes();
    } catch (const std::system_error&) {
        return std::nullopt;  // many a node knows no mmap
    }
}

}  // namespace

std::optional<std::uint64_t> make_cold(const std::string& path, std::uint64_t length)
{
    const auto page = mapping::page_bytes();
    const std::size_t whole = (static_cast<std::size_t>(length) + page - 1) / page * page;
    const auto fd = file_descriptor::open(path, O_RDONLY);
    // A node that knows neither of the two has no cache to forget.
    if (::fdatasync(fd.get()) != 0 && errno != EINVAL && errno != EOPNOTSUPP)
        throw_errno(fmt::format("fdatasync {}", path));
    ::posix_fadvise(fd.get(), 0, static_cast<off_t>(whole), POSIX_FADV_DONTNEED);
    return may_ask(fd.get(), path) ? cached_bytes(fd.get(), whole) : std::nullopt;
}

}  // namespace scullpin::overlap
