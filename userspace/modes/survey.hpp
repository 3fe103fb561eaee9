// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "measure/round.hpp"
#include "modes/way.hpp"
#include "scullpin/backend.hpp"

namespace scullpin::modes {

/// What to measure.
struct request {
    std::string path;
    bool write = false;
    std::uint64_t span = std::uint64_t{16} << 20;   ///< bytes from the start, moved over and over
    std::uint64_t least = 512;                      ///< bytes of the smallest I/O, a power of two
    std::uint64_t most = std::uint64_t{4} << 20;    ///< bytes of the greatest, a power of two
    backend_kind backend = backend_kind::io_uring;  ///< of the asynchronous way; or libaio
    unsigned iodepth = 32;
    measure::effort spent;
};

/// What one way costs at one size.
struct figure {
    double latency_ns = 0;   ///< of one request, with no other in flight
    double bytes_per_s = 0;  ///< with as many in flight as the way can have
};

/// One size, all ways; none where a way does not take requests as small.
struct row {
    std::uint64_t size = 0;
    unsigned iodepth = 1;  ///< of the asynchronous way: no two requests in flight overlap
    std::array<std::optional<figure>, all_ways().size()> ways;
};

struct survey {
    request what;
    std::vector<row> rows;
    std::map<way, std::string> unavailable;  ///< ways that the path does not know, and why
    bool aborted = false;                    ///< rows may be without some figures
};

struct survey_control {
    const std::atomic<bool>* stop = nullptr;                      ///< looked at between figures
    std::function<void(way how, std::uint64_t size)> progress{};  ///< before each
};

/// Refuses what makes no sense on any path. @throws usage_error
void check(const request& what);

/// Measures each way at each size. Before a way that goes by the page cache the span is read in,
/// after it written back and dropped, so that no way finds what another has left.
/// @throws open_error, usage_error when the path is shorter than the span, std::system_error
[[nodiscard]] survey run(const request& what, const survey_control& how);

}  // namespace scullpin::modes
