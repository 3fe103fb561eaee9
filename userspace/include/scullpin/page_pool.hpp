// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace scullpin {

/// What memory is made of.
enum class page_kind {
    base,     ///< private pages of 4 KiB
    thp,      ///< private, huge where the kernel can
    hugetlb,  ///< private, of the pool of huge pages
    file,     ///< a shared mapping of a file
    shared,   ///< shared, of no file
};

/// Owns touched memory of one kind of pages, which begins at 2 MiB where that matters. Move-only.
class page_pool {
public:
    /// @param size bytes; rounded up to whole pages of the kind
    /// @param folder where a file is made, and has no name any more; only of the kind file
    /// @throws std::system_error when there is no such memory
    page_pool(page_kind kind, std::size_t size, const std::string& folder = "/tmp");
    page_pool(page_pool&& other) noexcept
        : map_(std::exchange(other.map_, {})), memory_(std::exchange(other.memory_, {}))
    {
    }
    page_pool& operator=(page_pool&&) = delete;
    ~page_pool();

    [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }

private:
    std::span<std::byte> map_;     ///< what was mapped
    std::span<std::byte> memory_;  ///< the part that is used
};

}  // namespace scullpin
