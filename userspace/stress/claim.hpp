// SPDX-License-Identifier: MIT
#pragma once

#include "scullpin/device.hpp"

namespace scullpin::stress {

/// Refuses a node or file that another process has open, as far as this one may look.
/// @throws open_error with EBUSY, saying who
void refuse_open_elsewhere(const device& path);

}  // namespace scullpin::stress
