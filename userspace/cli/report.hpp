// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "options.hpp"
#include "scullpin/transfer.hpp"

namespace scullpin::cli {

/// Prints what a transfer did, as text or JSON, and returns the exit code it deserves.
int report(const std::string& command, const transfer_result& result, double seconds,
           const io_options& io, const common_options& options);

}  // namespace scullpin::cli
