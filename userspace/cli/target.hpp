// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace scullpin::cli {

/// May a missing target be made as a new file? Not below /dev: a name there is a node's, and one
/// that is missing means that there is no such device. /dev/shm holds files.
[[nodiscard]] bool may_create(const std::string& path);

}  // namespace scullpin::cli
