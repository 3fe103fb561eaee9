// SPDX-License-Identifier: MIT
#include "machine.hpp"

#include <fcntl.h>
#include <liburing.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <system_error>

#include "scullpin/aio_context.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace fs = std::filesystem;

namespace {

constexpr int cap_ipc_lock = 14;  // of linux/capability.h: RLIMIT_MEMLOCK does not bind

std::optional<std::uint64_t> number_in(const fs::path& path)
{
    const auto line = first_line(path);
    if (!line) return std::nullopt;
    return std::strtoull(line->c_str(), nullptr, 10);
}

/// The value in a file of lines `NAME: VALUE`.
std::optional<std::uint64_t> field(const fs::path& path, const std::string& name, int base)
{
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(name + ":"))
            return std::strtoull(line.c_str() + name.size() + 1, nullptr, base);
    return std::nullopt;
}

/// Of "always [madvise] never" the word in brackets.
std::optional<std::string> chosen(const fs::path& path)
{
    const auto line = first_line(path).value_or("");
    const auto begin = line.find('[');
    const auto end = line.find(']');
    if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
    return line.substr(begin + 1, end - begin - 1);
}

std::optional<std::string> program(const std::string& name)
{
    const char* path = std::getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const auto file = fs::path(folder) / name;
        if (::access(file.c_str(), X_OK) == 0) return file.string();
    }
    return std::nullopt;
}

void look_at_module(machine& found)
{
    utsname names{};
    ::uname(&names);
    found.kernel = names.release;
    const auto folder = fs::path("/lib/modules") / found.kernel;
    std::error_code error;
    found.module_loaded = fs::exists("/sys/module/scullpin", error);
    found.headers = fs::exists(folder / "build" / "Makefile", error);
    std::ifstream list(folder / "modules.dep");
    for (std::string line; std::getline(list, line);)
        if (line.substr(0, line.find(':')).find("/scullpin.ko") != std::string::npos)
            found.module_installed = true;
}

void look_at_device(machine& found)
{
    std::error_code error;
    const auto name = fs::path(found.device).filename();
    found.device_exists = fs::exists(found.device, error);
    found.device_is_file = fs::is_regular_file(found.device, error);
    found.device_number = first_line(scullpin_class / name / "dev");
    // Not by opening it: of some drivers that does something.
    if (::faccessat(AT_FDCWD, found.device.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
        found.access_error = errno;
}

void look_at_asynchronous_io(machine& found)
{
    io_uring ring{};
    const int result = ::io_uring_queue_init(32, &ring, 0);
    if (result == 0)
        ::io_uring_queue_exit(&ring);
    else
        found.io_uring_error = -result;
    found.io_uring_disabled = number_in("/proc/sys/kernel/io_uring_disabled");
    found.aio_used = number_in("/proc/sys/fs/aio-nr");
    found.aio_max = number_in("/proc/sys/fs/aio-max-nr");
    try {
        const aio_context context(32);
    } catch (const std::system_error& refused) {
        found.aio_error = refused.code().value();
    }
}

void look_at_memory(machine& found)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_MEMLOCK, &limit);
    found.memlock_bytes = limit.rlim_cur;
    const auto capabilities = field("/proc/self/status", "CapEff", 16).value_or(0);
    found.memlock_free = limit.rlim_cur == RLIM_INFINITY || (capabilities >> cap_ipc_lock & 1) != 0;
    found.huge_total = field("/proc/meminfo", "HugePages_Total", 10);
    found.huge_free = field("/proc/meminfo", "HugePages_Free", 10);
    found.thp = chosen("/sys/kernel/mm/transparent_hugepage/enabled");
}

}  // namespace

machine look_at_machine(const std::string& device, bool asked)
{
    machine found;
    found.root = ::geteuid() == 0;
    found.device = device;
    found.device_asked = asked;
    look_at_module(found);
    look_at_device(found);
    look_at_asynchronous_io(found);
    look_at_memory(found);
    found.gnuplot = program("gnuplot");
    return found;
}

}  // namespace scullpin::cli
