// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <catch_amalgamated.hpp>

#include "control.hpp"

/// A control group with a bound on memory, made by root for one test.
class memory_group {
public:
    explicit memory_group(const std::string& bytes)
    {
        made_ = control::get().run("echo +memory >/sys/fs/cgroup/cgroup.subtree_control && mkdir " +
                                   path + " && echo " + bytes + " >" + path + "/memory.max") == 0;
    }
    ~memory_group() { control::get().run("rmdir " + path); }
    memory_group(const memory_group&) = delete;
    memory_group& operator=(const memory_group&) = delete;
    explicit operator bool() const { return made_; }

    void add(pid_t child) const
    {
        REQUIRE(control::get().write(path + "/cgroup.procs", std::to_string(child)) == 0);
    }

    inline static const std::string path = "/sys/fs/cgroup/scullpin-adversary";

private:
    bool made_ = false;
};
