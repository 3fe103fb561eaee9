// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace scullpin::bufferpool {

using page_number = std::uint64_t;

/// A place for one page in the arena.
struct frame {
    /// reading: its bytes are not there yet. writing: they are, and must not change.
    enum class transfer { none, reading, writing };

    page_number page = 0;
    bool holds_page = false;  ///< the page table leads here
    bool dirty = false;       ///< newer than what is on the device
    bool read_ahead = false;  ///< nobody has asked for it yet
    transfer now = transfer::none;
    int error = 0;              ///< why there are no bytes; whoever waits looks at once
    std::uint32_t fixes = 0;    ///< who uses it; it stays while there are any
    std::uint32_t updates = 0;  ///< of these, who may change it
};

}  // namespace scullpin::bufferpool
