// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace scullpin::cli {

/// One option or positional argument, as completions and the manual need it.
struct option_view {
    std::vector<std::string> names;    ///< "-h", "--help"; of a positional its one name
    std::string value;                 ///< what it takes, such as SIZE; empty for a flag
    std::vector<std::string> choices;  ///< the only values it takes; empty when it is free
    std::string range;                 ///< "1 - 4096", where there is one
    std::string standard;              ///< the default, if it has one to show
    std::string help;
    bool required = false;
    bool repeats = false;  ///< takes several values

    /// Free text is the name of a file; sizes and numbers are not.
    [[nodiscard]] bool is_path() const { return value == "TEXT" && choices.empty(); }
};

/// A command, or the program itself.
struct command_view {
    std::string name;
    std::string help;
    std::string footer;
    std::vector<option_view> options;
    std::vector<option_view> positionals;
};

struct tree_view {
    command_view program;
    std::vector<command_view> commands;  ///< without the hidden ones, as --help shows them
};

/// @p app with all of its commands; the names live on without it.
[[nodiscard]] tree_view describe(const CLI::App& app);

}  // namespace scullpin::cli
