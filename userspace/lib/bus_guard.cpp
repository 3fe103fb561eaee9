// SPDX-License-Identifier: MIT
#include "bus_guard.hpp"

#include <csignal>

namespace scullpin {

namespace {

thread_local bus_guard* innermost = nullptr;
struct sigaction before {};

void on_bus_error(int signal)
{
    if (innermost != nullptr) siglongjmp(innermost->back(), 1);
    // The same access faults again, as if there never was a guard.
    ::sigaction(signal, &before, nullptr);
}

bool install()
{
    struct sigaction action {};
    action.sa_handler = on_bus_error;
    return ::sigaction(SIGBUS, &action, &before) == 0;
}

}  // namespace

bus_guard::bus_guard()
{
    static const bool installed = install();
    static_cast<void>(installed);
    innermost = this;
}

bus_guard::~bus_guard()
{
    innermost = nullptr;
}

}  // namespace scullpin
