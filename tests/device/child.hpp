// SPDX-License-Identifier: MIT
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include <catch_amalgamated.hpp>

#include "fixture.hpp"

/// Runs @p body in a child process. @return its pid
inline pid_t in_child(const std::function<void()>& body)
{
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        // An assertion that fails must not go on with the suite here.
        try {
            body();
        } catch (...) {
            ::_exit(99);
        }
        ::_exit(0);
    }
    return child;
}

/// @return the status of a child that ended; the test fails when it has not after @p seconds
inline int wait_for(pid_t child, double seconds)
{
    int status = 0;
    const bool ended =
        eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }, seconds);
    INFO("a process with a request in flight must be able to end");
    REQUIRE(ended);
    return status;
}

/// How a process ends that does @p what. @return the signal, or 0
template <typename What>
int signal_of(What what)
{
    const int status = wait_for(in_child([&] {
                                    // Not the test framework's.
                                    ::signal(SIGSEGV, SIG_DFL);
                                    what();
                                }),
                                20);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
