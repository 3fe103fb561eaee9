// SPDX-License-Identifier: MIT
#pragma once

#include "settings.hpp"

namespace scullpin::stress {

/// Slots of one kind of memory, each with room for the longest request, for a shift of its start,
/// and for guards on either side. Move-only.
class memory {
public:
    /// Bytes that are looked at on either side of a request.
    static constexpr std::size_t guard = 64;

    /// @throws std::system_error when there is no such memory
    memory(memory_kind kind, const settings& wanted, std::size_t slots);

    [[nodiscard]] std::span<std::byte> all() const noexcept { return pages_.memory(); }
    /// Where a request of @p length bytes begins in a slot; @ref guard bytes around it are its own.
    [[nodiscard]] std::span<std::byte> place(std::size_t slot, std::size_t shift,
                                             std::size_t length) const;

private:
    std::size_t slot_bytes_;
    page_pool pages_;
};

}  // namespace scullpin::stress
