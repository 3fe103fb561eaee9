// SPDX-License-Identifier: MIT
#pragma once

#include "scullpin/device.hpp"

namespace scullpin::stress {

/// Refuses a path that somebody else uses: a mounted or held block device, the file behind a loop
/// device, a swap file, a node or file that another process has open, as far as this one may look.
/// @throws open_error with EBUSY, saying who
void refuse_used(const device& path);

}  // namespace scullpin::stress
