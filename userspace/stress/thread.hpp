// SPDX-License-Identifier: MIT
#pragma once

#include <thread>
#include <utility>

#include "scullpin/error.hpp"

namespace scullpin::stress {

/// A thread that its owner joins.
/// @throws std::system_error that says what failed
template <typename Work>
[[nodiscard]] std::jthread start_thread(Work work)
{
    try {
        return std::jthread(std::move(work));
    } catch (const std::system_error& error) {
        throw_error(error.code().value(), "start a thread");
    }
}

}  // namespace scullpin::stress
