// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "cell.hpp"

namespace scullpin::measure {

/// Owns touched memory of one kind of pages, for all cells of a run: each meets the same pages.
/// Move-only.
class page_pool {
public:
    /// @param size bytes, a multiple of 2 MiB
    /// @throws std::system_error when there is no such memory
    page_pool(page_kind kind, std::size_t size);
    page_pool(page_pool&& other) noexcept
        : map_(std::exchange(other.map_, {})), memory_(std::exchange(other.memory_, {}))
    {
    }
    page_pool& operator=(page_pool&&) = delete;
    ~page_pool();

    [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }

private:
    std::span<std::byte> map_;     ///< what was mapped
    std::span<std::byte> memory_;  ///< the part that begins at 2 MiB
};

}  // namespace scullpin::measure
