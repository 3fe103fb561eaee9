// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "scullpin/file_descriptor.hpp"

namespace scullpin {

/// Paths that are to be written, though what they hold belongs to nobody else: block devices that
/// are neither mounted nor held, and files that are no loop device's and no swap.
class claims {
public:
    /// A block device is held as long as this lives, so that meanwhile nobody else gets it.
    /// Does nothing for what is not there, nor for what is claimed already.
    /// @return of a block device the descriptor that holds it, open for writing: by no other can
    /// parts of it be discarded meanwhile; else -1
    /// @throws open_error with EBUSY, saying who uses it
    int add(const std::string& path);

private:
    std::map<dev_t, file_descriptor> held_;
};

}  // namespace scullpin
