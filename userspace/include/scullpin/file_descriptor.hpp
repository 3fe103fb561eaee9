// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

namespace scullpin {

/// Owns one file descriptor. Move-only; closes on destruction, ignoring errors of close(2).
class file_descriptor {
public:
    file_descriptor() = default;
    explicit file_descriptor(int fd) noexcept : fd_(fd) {}
    file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    file_descriptor& operator=(file_descriptor&& other) noexcept;
    ~file_descriptor();

    /// open(2), repeated on EINTR, with O_CLOEXEC added.
    /// @throws std::system_error naming the path
    static file_descriptor open(const std::string& path, int flags, unsigned mode = 0666);

    [[nodiscard]] int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

}  // namespace scullpin
