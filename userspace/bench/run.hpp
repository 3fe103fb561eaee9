// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "bench/job.hpp"
#include "bench/tally.hpp"

namespace scullpin::bench {

/// How a run is watched and ended from outside.
struct control {
    const std::atomic<bool>* stop = nullptr;  ///< set from a signal handler: drain and come back
    /// Called now and then with bytes done and time passed; from the calling thread.
    std::function<void(std::uint64_t, std::chrono::nanoseconds)> progress;
};

/// What a job did on one path.
struct run_result {
    std::string path;
    geometry::kind kind = geometry::kind::regular_file;
    span where;
    tallies sides;
    std::chrono::nanoseconds elapsed{0};  ///< from the first request to the last completion
    bool aborted = false;                 ///< stopped before its own end
};

/// Runs the job on a path, every thread with its own back end.
/// @throws std::system_error when there is no memory, thread or back end; then nothing is in flight
[[nodiscard]] run_result run(const device& place, const job& what, const span& where,
                             const control& how);

/// What one request costs without any device: the same loop on a back end that ends it at once.
/// @return ns; none when nothing could be measured
[[nodiscard]] std::optional<double> overhead_ns(const job& what, const span& where);

}  // namespace scullpin::bench
