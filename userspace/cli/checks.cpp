// SPDX-License-Identifier: MIT
#include "checks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/core.h>

#include "scullpin/size.hpp"

namespace scullpin::cli {

namespace {

/// 32 requests of 128 KiB.
constexpr std::uint64_t memlock_wanted = 4 * 1024 * 1024;

/// What this kernel lacks, another one has: the project's VM boots it.
constexpr const char* other_kernel = "make vm";

std::string as_root(const machine& here, const std::string& command)
{
    return here.root ? command : "sudo " + command;
}

std::string reason(int code)
{
    return std::generic_category().message(code);
}

bool is_ours(const machine& here)
{
    return std::filesystem::path(here.device).filename().string().starts_with("scullpin");
}

std::string load_module(const machine& here)
{
    if (here.module_installed) return as_root(here, "modprobe scullpin");
    if (here.headers)
        return fmt::format("make kmod KDIR=/lib/modules/{}/build && {} && {}", here.kernel,
                           as_root(here, "modprobe configfs"),
                           as_root(here, "insmod kmod/scullpin.ko"));
    return other_kernel;
}

finding look_module(const machine& here)
{
    if (here.module_loaded) return {state::ok, "loaded", {}};
    const bool buildable = here.module_installed || here.headers;
    return {state::missing,
            buildable
                ? "not loaded"
                : fmt::format("not loaded, and {} has no headers to build it with", here.kernel),
            load_module(here)};
}

/// The number that sysfs tells, as mknod wants it.
std::string make_node(const machine& here)
{
    const auto& number = *here.device_number;
    const auto colon = number.find(':');
    return as_root(here, fmt::format("mknod -m 600 {} c {} {}", here.device,
                                     number.substr(0, colon), number.substr(colon + 1)));
}

finding look_node(const machine& here)
{
    const bool among_nodes =
        here.device.starts_with("/dev/") && !here.device.starts_with("/dev/shm/");
    if (here.device_is_file && among_nodes)
        return {state::broken, here.device + " is a file where a node should be",
                as_root(here, "rm " + here.device)};
    if (here.device_exists) return {state::ok, here.device, {}};
    const auto detail = here.device + " does not exist";
    if (here.device_number) return {state::missing, detail, make_node(here)};
    if (is_ours(here) && !here.module_loaded) return {state::missing, detail, load_module(here)};
    return {state::missing,
            detail + ", and its driver is not known here; the nodes that there are:", "ls /dev"};
}

finding look_access(const machine& here)
{
    if (here.access_error == 0) return {state::ok, "readable and writable by this user", {}};
    if (!here.device_exists) {
        const auto node = look_node(here);
        return {state::missing, "no node to use", node.mend};
    }
    return {state::broken, reason(here.access_error),
            as_root(here, fmt::format("chown \"$(id -un)\" {}", here.device))};
}

finding look_io_uring(const machine& here)
{
    const auto disabled = here.io_uring_disabled.value_or(0);
    switch (here.io_uring_error) {
    case 0: return {state::ok, "a ring was made", {}};
    case ENOSYS:
        return {state::missing, "not in this kernel, or hidden by a filter of system calls",
                other_kernel};
    case ENOMEM:
        return {state::broken, "a ring was refused: " + reason(ENOMEM),
                as_root(here, "prlimit --pid $$ --memlock=unlimited")};
    default: break;
    }
    const auto detail = "a ring was refused: " + reason(here.io_uring_error);
    if (disabled != 0)
        return {state::broken, fmt::format("{}; kernel.io_uring_disabled is {}", detail, disabled),
                as_root(here, "sysctl kernel.io_uring_disabled=0")};
    return {state::broken, detail + "; a container's filter of system calls does that",
            other_kernel};
}

finding look_libaio(const machine& here)
{
    if (here.aio_error == 0)
        return {state::ok,
                fmt::format("a context was made; {} of {} requests are taken",
                            here.aio_used.value_or(0), here.aio_max.value_or(0)),
                {}};
    if (here.aio_error == ENOSYS) return {state::missing, "not in this kernel", other_kernel};
    const auto detail = "a context was refused: " + reason(here.aio_error);
    if (here.aio_error == EAGAIN)
        return {state::broken,
                fmt::format("{}; fs.aio-nr is {}, fs.aio-max-nr {}", detail,
                            here.aio_used.value_or(0), here.aio_max.value_or(0)),
                as_root(here, fmt::format(
                                  "sysctl fs.aio-max-nr={}",
                                  std::max<std::uint64_t>(1048576, 2 * here.aio_max.value_or(0))))};
    return {state::broken, detail, other_kernel};
}

finding look_memlock(const machine& here)
{
    if (here.memlock_free) return {state::ok, "no limit for this user", {}};
    const auto limit = format_size(static_cast<double>(here.memlock_bytes));
    if (here.memlock_bytes >= memlock_wanted)
        return {state::ok, fmt::format("{} (RLIMIT_MEMLOCK) in registered buffers", limit), {}};
    return {state::broken,
            fmt::format("{} (RLIMIT_MEMLOCK); 32 requests of 128 KiB need 4 MiB", limit),
            as_root(here, "prlimit --pid $$ --memlock=unlimited")};
}

finding look_hugetlb(const machine& here)
{
    if (!here.huge_total) return {state::missing, "not in this kernel", other_kernel};
    const auto free = here.huge_free.value_or(0);
    const auto detail = fmt::format("{} of {} pages are free", free, *here.huge_total);
    if (free > 0) return {state::ok, detail, {}};
    const auto wanted = *here.huge_total + 16;
    return {*here.huge_total == 0 ? state::missing : state::broken, detail,
            as_root(here, fmt::format("sysctl vm.nr_hugepages={}", wanted))};
}

finding look_thp(const machine& here)
{
    constexpr const char* file = "/sys/kernel/mm/transparent_hugepage/enabled";
    if (!here.thp) return {state::missing, "not in this kernel", other_kernel};
    if (*here.thp != "never") return {state::ok, *here.thp, {}};
    return {state::missing, "never",
            fmt::format("echo madvise | {}", as_root(here, fmt::format("tee {}", file)))};
}

finding look_gnuplot(const machine& here)
{
    if (here.gnuplot) return {state::ok, *here.gnuplot, {}};
    return {state::missing, "not in PATH",
            as_root(here, "apt-get install --no-install-recommends gnuplot-nox")};
}

bool always(const machine&)
{
    return true;
}

bool never(const machine&)
{
    return false;
}

bool device_asked(const machine& here)
{
    return here.device_asked;
}

bool our_device_asked(const machine& here)
{
    return here.device_asked && is_ours(here);
}

constexpr std::array table{
    check{"module", "a scullpin node", our_device_asked, look_module},
    check{"node", "I/O on the device", device_asked, look_node},
    check{"access", "I/O on the device as this user", device_asked, look_access},
    check{"io_uring", "--backend io_uring", always, look_io_uring},
    check{"libaio", "--backend libaio", always, look_libaio},
    check{"memlock", "registered buffers", never, look_memlock},
    check{"hugetlb", "buffers of hugetlb pages", never, look_hugetlb},
    check{"thp", "buffers of transparent huge pages", never, look_thp},
    check{"gnuplot", "bench --plot", never, look_gnuplot},
};

}  // namespace

const char* to_string(state what)
{
    constexpr std::array names{"ok", "missing", "broken"};
    return names.at(static_cast<std::size_t>(what));
}

std::span<const check> all_checks()
{
    return table;
}

}  // namespace scullpin::cli
