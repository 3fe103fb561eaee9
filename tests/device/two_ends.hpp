// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include <catch_amalgamated.hpp>

#include "scullpin/file_descriptor.hpp"

/// A pipe.
struct two_ends {
    explicit two_ends(int flags = 0)
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC | flags) == 0);
        out = scullpin::file_descriptor(ends[0]);
        in = scullpin::file_descriptor(ends[1]);
    }
    scullpin::file_descriptor out, in;
};
