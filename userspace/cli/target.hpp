// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "scullpin/file_descriptor.hpp"

namespace scullpin::cli {

/// May a missing target be made as a new file? Not below /dev: a name there is a node's, and one
/// that is missing means that there is no such device. /dev/shm holds files.
[[nodiscard]] bool may_create(const std::string& path);

/// Block devices that are to be written, each held as long as this lives: while somebody has it
/// mounted or holds it otherwise it cannot be had, and meanwhile nobody else gets it.
class claims {
public:
    /// Does nothing for other kinds of paths, nor for a device that is held already.
    /// @throws open_error with EBUSY when it is in use
    void add(const std::string& path);

private:
    std::map<dev_t, file_descriptor> held_;
};

}  // namespace scullpin::cli
