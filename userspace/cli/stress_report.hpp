// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "options.hpp"
#include "stress/run.hpp"

namespace scullpin::cli {

/// Prints what was found, as text or JSON. @return the exit code it deserves
int report_stress(const std::vector<stress::outcome>& outcomes, const stress::settings& each,
                  const common_options& options);
int report_self_test(const std::vector<stress::self_test_row>& rows, bool aborted,
                     const common_options& options);

/// The live line of a run: operations, rate, time left. Thread-safe.
class stress_line {
public:
    /// @param seconds to run, 0 when unknown
    /// @param operations to do, 0 when unknown
    stress_line(const common_options& options, double seconds, std::uint64_t operations);
    ~stress_line();
    stress_line(const stress_line&) = delete;
    stress_line& operator=(const stress_line&) = delete;

    void update(std::size_t path, const stress::state& now);

private:
    double seconds_;
    std::uint64_t operations_;
    bool shown_;
    bool drawn_ = false;
    double next_ = 0;
    std::mutex lock_;
    std::map<std::size_t, stress::state> states_;
};

}  // namespace scullpin::cli
