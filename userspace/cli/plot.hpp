// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace scullpin::cli {

/// The option --plot FILE. @param what is drawn
void add_plot(CLI::App& command, std::string& file, const std::string& what);

/// Whether what will be measured on @p paths can be drawn; says what is missing. Also when nothing
/// is to be drawn: then @p file is empty.
/// @throws usage_error when the file cannot be written, or would replace what is measured
[[nodiscard]] bool can_plot(const std::string& file, const std::vector<std::string>& paths);

}  // namespace scullpin::cli
