// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace scullpin {

/// Owns zeroed memory that begins at a page: what direct I/O of any device accepts.
/// Move-only. Not copied on fork differently from other private memory.
class aligned_buffer {
public:
    /// @param size bytes, more than 0; rounded up to whole pages
    /// @throws std::system_error when the memory cannot be had
    explicit aligned_buffer(std::size_t size);
    aligned_buffer(aligned_buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0))
    {
    }
    aligned_buffer& operator=(aligned_buffer&& other) noexcept;
    ~aligned_buffer();

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::span<std::byte> span() const noexcept { return {data_, size_}; }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace scullpin
