// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace scullpin::cli {

/// What `doctor` looks at; the checks are functions of it alone.
struct machine {
    bool root = false;   ///< this user may do what root may
    std::string kernel;  ///< release, as in /lib/modules

    bool module_loaded = false;
    bool module_installed = false;  ///< modprobe finds it
    bool headers = false;           ///< of this kernel, to build the module with

    std::string device = "/dev/scullpin0";
    bool device_asked = false;  ///< by --device
    bool device_exists = false;
    bool device_is_file = false;               ///< a regular one
    std::optional<std::string> device_number;  ///< "240:0", as the driver has it in sysfs
    int access_error = 0;                      ///< errno of asking to read and write

    int io_uring_error = 0;  ///< errno of making a ring
    std::optional<std::uint64_t> io_uring_disabled;
    int aio_error = 0;                      ///< errno of io_setup()
    std::optional<std::uint64_t> aio_used;  ///< requests, of all processes
    std::optional<std::uint64_t> aio_max;

    std::uint64_t memlock_bytes = 0;          ///< soft limit
    bool memlock_free = false;                ///< the limit does not bind this user
    std::optional<std::uint64_t> huge_total;  ///< hugetlb pages; none: not in this kernel
    std::optional<std::uint64_t> huge_free;
    std::optional<std::string> thp;      ///< the word chosen; none: not in this kernel
    std::optional<std::string> gnuplot;  ///< where it is
};

/// Looks; makes and closes a ring and an AIO context, opens nothing and changes nothing.
[[nodiscard]] machine look_at_machine(const std::string& device, bool asked);

}  // namespace scullpin::cli
