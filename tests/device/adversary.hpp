// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdlib>

/// How long those who work against the I/O do so: SCULLPIN_ADVERSARY_SECONDS, or two seconds.
inline std::chrono::seconds adversary_duration()
{
    const char* text = std::getenv("SCULLPIN_ADVERSARY_SECONDS");
    return std::chrono::seconds(text != nullptr ? std::strtoul(text, nullptr, 10) : 2);
}

/// Until when they do.
class adversary_time {
public:
    [[nodiscard]] bool left() const { return clock::now() < end_; }

private:
    using clock = std::chrono::steady_clock;

    clock::time_point end_ = clock::now() + adversary_duration();
};
