// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <span>

#include "aio.hpp"
#include "fixture.hpp"
#include "scullpin/aio_context.hpp"
#include "scullpin/file_descriptor.hpp"

/// For tests that make devices of their own: needs root, and skips without.
class folder_fixture : private kernel_fixture {
public:
    folder_fixture();
};

/// A folder in configfs, and the device that its power switch makes. Goes with all it has.
class folder {
public:
    using settings = std::vector<std::pair<std::string, std::string>>;

    /// mkdir(2). @return 0 or -errno
    static int make(const std::string& name);
    /// rmdir(2). @return 0 or -errno
    static int remove(const std::string& name);

    /// Makes the folder and sets @p values; does not switch it on.
    explicit folder(std::string name, const settings& values = {});
    ~folder();
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    /// @return 0 or -errno
    [[nodiscard]] int set(const std::string& attribute, const std::string& value) const;
    [[nodiscard]] std::string get(const std::string& attribute) const;
    [[nodiscard]] int power(bool on) const { return set("power", on ? "1" : "0"); }
    /// rmdir(2). @return 0 or -errno
    int remove();

    [[nodiscard]] std::string node() const { return "/dev/scullpin" + get("index"); }
    [[nodiscard]] std::string sysfs() const
    {
        return "/sys/class/scullpin/scullpin" + get("index");
    }
    [[nodiscard]] std::uint64_t counter(const std::string& name) const;
    [[nodiscard]] scullpin::file_descriptor open(int flags = 0) const;

private:
    std::string name_;
    bool there_ = true;
};

/// Waits at most twenty seconds, in a thread, where Catch2 must not be asked. @return how many came
inline std::size_t wait_in_thread(scullpin::aio_context& context, std::span<io_event> events)
{
    return context.wait(events, events.size(),
                        scullpin::aio_context::clock::now() + std::chrono::seconds(20));
}

/// io_submit of one. @return 1 or -errno
inline long submit_in_thread(scullpin::aio_context& context, iocb& request)
{
    iocb* pointer = &request;
    return context.submit({&pointer, 1});
}
