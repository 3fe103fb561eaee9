// SPDX-License-Identifier: MIT
#include "scullpin/file_descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin {

file_descriptor& file_descriptor::operator=(file_descriptor&& other) noexcept
{
    std::swap(fd_, other.fd_);
    return *this;
}

file_descriptor::~file_descriptor()
{
    if (fd_ >= 0) ::close(fd_);
}

file_descriptor file_descriptor::open(const std::string& path, int flags, unsigned mode)
{
    int fd = -1;
    do {
        fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) throw_errno(fmt::format("open {}", path));
    return file_descriptor(fd);
}

}  // namespace scullpin
