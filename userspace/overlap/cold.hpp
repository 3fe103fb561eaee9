// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace scullpin::overlap {

/// Lets the page cache forget a range from the start of a file: what is dirty is written first,
/// then POSIX_FADV_DONTNEED.
/// @return bytes of the range that are cached all the same; none when this cannot be known: there
/// is no mapping, or the file belongs to somebody else
/// @throws std::system_error
std::optional<std::uint64_t> make_cold(const std::string& path, std::uint64_t length);

}  // namespace scullpin::overlap
