// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "report.hpp"
#include "settings.hpp"

namespace scullpin::stress {

/// What is shown while a run goes on.
struct state {
    double seconds = 0;
    std::uint64_t operations = 0;
    std::size_t problems = 0;
};

/// Stresses one path until the time, the number of operations, the stop flag or a problem ends it.
/// When the outcome says lost, requests are in flight for ever: end the process without tearing
/// anything down.
/// @throws open_error, usage_error, unavailable_error, std::system_error for what keeps it from
/// beginning
[[nodiscard]] outcome run(const settings& wanted,
                          const std::function<void(const state&)>& progress = {});

/// One corruption, and what the tester said of it.
struct self_test_row {
    std::string planted;
    std::string found;  ///< name of the first problem; empty: nothing
    double seconds = 0;
};

/// Plants each corruption in a file of @p folder, one a run.
/// @param stop when it is set, those that are left are not planted
[[nodiscard]] std::vector<self_test_row> self_test(const std::string& folder, std::uint64_t seed,
                                                   const std::atomic<bool>* stop = nullptr);

}  // namespace scullpin::stress
