// SPDX-License-Identifier: MIT
#include "fault.hpp"

#include <catch_amalgamated.hpp>

#include "control.hpp"

fault::fault(const std::string& name, std::uint64_t nth)
    : path_("/sys/kernel/debug/scullpin/fault/" + name)
{
    REQUIRE(control::get().write(path_, std::to_string(nth)) == 0);
}

fault::~fault()
{
    control::get().write(path_, "0");
}

bool fault::fired() const
{
    const auto left = control::get().read(path_);
    REQUIRE(left != "");
    return left == "0\n";
}
