// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "scullpin/backend.hpp"
#include "scullpin/device.hpp"

namespace scullpin::bench {

/// Which requests, in which order; the names are fio's.
enum class pattern { read, write, randread, randwrite, rw, randrw };

[[nodiscard]] const char* to_string(pattern rw);
[[nodiscard]] bool reads(pattern rw);
[[nodiscard]] bool writes(pattern rw);
[[nodiscard]] bool is_random(pattern rw);

/// What to run, as it was asked for; the same on every path.
struct job {
    pattern rw = pattern::randread;
    backend_kind backend = backend_kind::sync;
    std::uint64_t block_bytes = 4096;
    unsigned iodepth = 1;
    unsigned numjobs = 1;                              ///< threads, each with its own back end
    std::uint64_t offset = 0;                          ///< bytes, where the span begins
    std::optional<std::uint64_t> size;                 ///< bytes of the span; none: to the end
    std::optional<std::chrono::milliseconds> runtime;  ///< none: see time_limit()
    std::optional<unsigned> rwmixread;                 ///< percent of reads; none: 50
    bool fixedbufs = false;
    bool direct = false;
    std::uint64_t seed = 1;
};

/// The part of a path that is used.
struct span {
    std::uint64_t offset = 0;
    std::uint64_t blocks = 0;
};

/// The runtime, or 10 s; none when only a size was given: then each thread goes over the span once.
[[nodiscard]] std::optional<std::chrono::nanoseconds> time_limit(const job& what);

/// Reads of a hundred requests.
[[nodiscard]] unsigned read_percent(const job& what);

/// Whether the back end ends a request within submit(), so that one is in flight at most.
[[nodiscard]] bool is_immediate(backend_kind kind);

/// What a path is opened for: never for more than the job does.
[[nodiscard]] access access_of(const job& what);

/// Refuses what makes no sense on any path. @throws usage_error
void check(const job& what);

/// The span of a job on a path. @throws usage_error when the path has no such span, or is a stream
[[nodiscard]] span span_of(const job& what, const geometry& shape, const std::string& path);

}  // namespace scullpin::bench
