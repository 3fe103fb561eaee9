// SPDX-License-Identifier: MIT
#include "scullpin/size.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin {

namespace {

constexpr std::string_view suffixes = "kmgt";

}  // namespace

std::uint64_t parse_size(std::string_view text)
{
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc::result_out_of_range)
        throw usage_error(fmt::format("size '{}' is too large", text));
    if (error != std::errc{})
        throw usage_error(fmt::format("'{}' is not a size such as 4096, 128k or 1G", text));
    if (rest == end) return value;
    const auto power =
        suffixes.find(static_cast<char>(std::tolower(static_cast<unsigned char>(*rest))));
    if (power == std::string_view::npos || rest + 1 != end)
        throw usage_error(fmt::format("'{}' is not a size such as 4096, 128k or 1G", text));
    std::uint64_t scaled = 0;
    if (__builtin_mul_overflow(value, std::uint64_t{1} << (10 * (power + 1)), &scaled))
        throw usage_error(fmt::format("size '{}' is too large", text));
    return scaled;
}

std::chrono::milliseconds parse_duration(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, double>, 5> units{
        {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}}};
    constexpr double most = 1e15;  // longer than anybody waits, and exact
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
    const auto unit = std::find_if(units.begin(), units.end(),
                                   [&](const auto& one) { return one.first == suffix; });
    if (error != std::errc{} || unit == units.end() || !(value >= 0) || value * unit->second > most)
        throw usage_error(fmt::format("'{}' is not a time such as 10, 1.5s, 20m or 500ms", text));
    return std::chrono::milliseconds(std::llround(value * unit->second));
}

std::string format_size(double bytes)
{
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < units.size(); unit++) bytes /= 1024;
    return unit == 0 ? fmt::format("{:.0f} B", bytes)
                     : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string format_duration(double nanoseconds)
{
    constexpr std::array units{"ns", "us", "ms", "s"};
    std::size_t unit = 0;
    for (; nanoseconds >= 999.5 && unit + 1 < units.size(); unit++) nanoseconds /= 1000;
    const int decimals = unit == 0 || nanoseconds >= 99.95 ? 0 : nanoseconds >= 9.995 ? 1 : 2;
    return fmt::format("{:.{}f} {}", nanoseconds, decimals, units[unit]);
}

}  // namespace scullpin
