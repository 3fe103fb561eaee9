// SPDX-License-Identifier: MIT
#include "fixture.hpp"

#include <fcntl.h>
#include <regex.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include <catch_amalgamated.hpp>

#include "control.hpp"
#include "scullpin/device.hpp"

using scullpin::file_descriptor;

std::uint64_t attribute(const std::string& name)
{
    std::ifstream file(sysfs_path + name);
    std::uint64_t value = 0;
    file >> value;
    REQUIRE(file);
    return value;
}

std::int64_t of_last_ended(const std::string& what)
{
    const auto ended = control::get().read("/sys/kernel/debug/scullpin/scullpin0/last");
    const auto key = " " + what + "=";
    const auto at = ended.rfind(key);
    REQUIRE(at != std::string::npos);
    return std::stoll(ended.substr(at + key.size()));
}

bool moves_by_dma()
{
    return control::get().read("/sys/module/scullpin/parameters/engine") == "dma\n";
}

char state_of_thread(pid_t thread)
{
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(')');
    return end == std::string::npos ? '?' : line.at(end + 2);
}

setting::setting(std::string name, const std::string& value)
    : path_(sysfs_path + name), before_(control::get().read(path_))
{
    REQUIRE(control::get().write(path_, value) == 0);
}

setting::~setting()
{
    control::get().write(path_, before_);
}

namespace {

/// Pins of the whole machine: acquired minus released, with the per-CPU parts folded in.
std::int64_t pins_held()
{
    control::get().write("/proc/sys/vm/stat_refresh", "1");
    std::istringstream vmstat(control::get().read("/proc/vmstat"));
    std::string name;
    std::int64_t value = 0, held = 0;
    while (vmstat >> name >> value) {
        if (name == "nr_foll_pin_acquired") held += value;
        if (name == "nr_foll_pin_released") held -= value;
    }
    return held;
}

/// Races of the kernel with itself are many; those with this module are found at the end of the
/// run, when both stacks are there.
std::string without_races(const std::string& log)
{
    std::istringstream lines(log);
    std::string line, text;
    while (std::getline(lines, line))
        if (line.find("KCSAN:") == std::string::npos) text += line + '\n';
    return text;
}

std::string first_complaint(const std::string& log)
{
    std::ifstream patterns("scripts/vm/dmesg-patterns");
    REQUIRE(patterns.is_open());
    const auto text = without_races(log);
    std::string pattern;
    while (std::getline(patterns, pattern)) {
        if (pattern.starts_with('#')) continue;
        regex_t compiled;
        REQUIRE(::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) == 0);
        const bool found = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
        ::regfree(&compiled);
        if (found) return pattern;
    }
    return {};
}

}  // namespace

kernel_fixture::kernel_fixture()
{
    control::get().mark_log(Catch::getResultCapture().getCurrentTestName());
}

kernel_fixture::~kernel_fixture()
{
    CHECK(eventually([] { return pins_held() == 0; }));
    CHECK(first_complaint(control::get().log_since_mark()) == "");
    // Out-of-tree and unsigned is what this module is; nothing else.
    CHECK((std::stoull(control::get().read("/proc/sys/kernel/tainted")) & ~0x3001ull) == 0);
}

void device_fixture::drop_cached()
{
    const auto node = open_node();
    // The result is that of write-back, which a test made fail perhaps.
    static_cast<void>(::fsync(node.get()));
    REQUIRE(::posix_fadvise(node.get(), 0, 0, POSIX_FADV_DONTNEED) == 0);
}

device_fixture::~device_fixture()
{
    // The flusher may have a request of its own at any time.
    CHECK(eventually([] {
        return attribute("stats/in_flight") == 0 &&
               attribute("stats/requests_submitted") == attribute("stats/requests_completed");
    }));
    CHECK(attribute("stats/pages_pinned") == attribute("stats/pages_released"));
}

file_descriptor device_fixture::open_node(int flags)
{
    return file_descriptor::open(node_path, O_RDWR | flags);
}

file_descriptor device_fixture::open_direct()
{
    return open_node(O_DIRECT);
}

void discard_all()
{
    const auto node = scullpin::device::open(node_path, scullpin::access::read_write, false);
    node.discard(0, attribute("size"));
}
