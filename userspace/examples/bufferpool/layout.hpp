// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "scullpin/device.hpp"

namespace scullpin::bufferpool {

/// Writes version 0 of every page, and waits until they are on the device.
/// @throws page_error, std::system_error
void lay_out(const device& node, std::uint64_t pages, std::size_t page_bytes);

/// Asks the kernel to keep nothing of it in the page cache.
void forget_cached(const device& node);

}  // namespace scullpin::bufferpool
