// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace scullpin {

/// Owns a shared mapping of the beginning of an open node or file, which may be closed meanwhile.
class mapping {
public:
    /// @param protection as of mmap(2)
    /// @param context what the error says was tried, on what
    /// @throws std::system_error
    mapping(int fd, std::size_t size, int protection, const std::string& context);
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;
    ~mapping();

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
    /// Of this machine.
    [[nodiscard]] static std::size_t page_bytes();

    /// Whether each page of page_bytes() is in the page cache, by mincore(2). @throws
    /// std::system_error
    [[nodiscard]] std::vector<bool> resident() const;

private:
    std::span<std::byte> bytes_;
};

}  // namespace scullpin
