// SPDX-License-Identifier: MIT
#pragma once

#include <csetjmp>

namespace scullpin {

/// While it lives, SIGBUS in this thread goes to its sigsetjmp(3) instead of ending the program: a
/// page of a mapping that cannot be had, because the file ended, its disk is full or broken. Where
/// no guard lives, the signal does what it did before.
///
///     bus_guard guard;
///     if (sigsetjmp(guard.back(), 1) == 0)
///         ...  // touches the mapping; nothing with a destructor
///     else
///         ...  // the page could not be had
class bus_guard {
public:
    bus_guard();
    ~bus_guard();
    bus_guard(const bus_guard&) = delete;
    bus_guard& operator=(const bus_guard&) = delete;

    [[nodiscard]] sigjmp_buf& back() noexcept { return back_; }

private:
    sigjmp_buf back_{};
};

}  // namespace scullpin
