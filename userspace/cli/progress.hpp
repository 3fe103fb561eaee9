// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "options.hpp"

namespace scullpin::cli {

/// Whether somebody wants to see how far a command is.
[[nodiscard]] bool shows_progress(const common_options& options);

/// A line on stderr with bytes, rate and time left, drawn again at most five times a second.
class progress_line {
public:
    /// @param total bytes that will come, 0 when nobody knows
    /// @param most seconds after which it ends, when time ends it, not bytes
    progress_line(const common_options& options, std::uint64_t total,
                  std::optional<double> most = std::nullopt);
    ~progress_line();
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    void update(std::uint64_t bytes);
    [[nodiscard]] double seconds() const;

private:
    using clock = std::chrono::steady_clock;

    std::uint64_t total_;
    std::optional<double> most_;
    bool shown_;
    bool drawn_ = false;
    clock::time_point begun_ = clock::now();
    clock::time_point next_ = begun_;
};

}  // namespace scullpin::cli
