// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "scullpin/file_descriptor.hpp"

/// The node under test.
inline const std::string node_path = "/dev/scullpin0";
inline const std::string sysfs_path = "/sys/class/scullpin/scullpin0/";

/// A number in the device's sysfs folder: a setting, or "stats/NAME".
std::uint64_t attribute(const std::string& name);

/// What debugfs says of the request that ended last: "result", "engine_ns" ...
std::int64_t of_last_ended(const std::string& what);

/// What a counter has gained since it was made.
class gain {
public:
    explicit gain(const std::string& name, const std::string& folder = "stats/")
        : name_(folder + name), begin_(attribute(name_))
    {
    }
    [[nodiscard]] std::uint64_t value() const { return attribute(name_) - begin_; }

private:
    std::string name_;
    std::uint64_t begin_;
};

/// Sets a live setting, and sets it back.
class setting {
public:
    setting(std::string name, const std::string& value);
    ~setting();
    setting(const setting&) = delete;
    setting& operator=(const setting&) = delete;

private:
    std::string path_;
    std::string before_;
};

/// Polls until @p condition holds or @p seconds have passed. @return whether it holds
template <typename Condition>
bool eventually(Condition condition, double seconds = 2.0)
{
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        // A poll, not a synchronisation: the condition decides.
        timespec pause{0, 2'000'000};
        ::nanosleep(&pause, nullptr);
    }
    return true;
}

/// Whether the module's own device moves by DMA.
bool moves_by_dma();

/// One of this process's. @return as in /proc: 'D' sleeps, and only a kill may wake it; '?' is gone
char state_of_thread(pid_t thread);

/// What must hold after every test, with or without the device: no pin, no complaint of the kernel.
class kernel_fixture {
public:
    kernel_fixture();
    ~kernel_fixture();
    kernel_fixture(const kernel_fixture&) = delete;
    kernel_fixture& operator=(const kernel_fixture&) = delete;
};

/// What must hold after every test of the device: nothing in flight, and all of its counters
/// balance. It begins with nothing cached, so nothing dirty whose write-back comes in between.
class device_fixture : private kernel_fixture {
public:
    device_fixture() { drop_cached(); }
    ~device_fixture();

    /// Writes back what is cached and drops it.
    static void drop_cached();

    /// The node, read-write. @param flags more of open(2), such as O_DIRECT
    static scullpin::file_descriptor open_node(int flags = 0);
    static scullpin::file_descriptor open_direct();
};

/// Empties the device: every test that looks at allocation or zeros begins with it.
void discard_all();
