// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace scullpin {

/// Bytes from a decimal number with an optional suffix k, M, G or T (powers of 1024, either case).
/// @throws usage_error on anything else after the number, on no number, and on overflow
[[nodiscard]] std::uint64_t parse_size(std::string_view text);

/// Milliseconds from a decimal number of seconds with an optional suffix ms, s, m or h.
/// @throws usage_error on anything else after the number, on no number, and on overflow
[[nodiscard]] std::chrono::milliseconds parse_duration(std::string_view text);

/// Bytes for people: "512 B", "1.5 MiB".
[[nodiscard]] std::string format_size(double bytes);

/// Nanoseconds for people: "850 ns", "12.3 us", "4.56 ms", "1.20 s".
[[nodiscard]] std::string format_duration(double nanoseconds);

}  // namespace scullpin
