// SPDX-License-Identifier: MIT
#pragma once

#include <sys/wait.h>

#include <array>
#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <catch_amalgamated.hpp>

/// How a program ended, 128+n by a signal, and what it printed.
struct outcome {
    int status;
    std::string output;
};

/// A line for the shell.
inline outcome run_shell(const std::string& line)
{
    std::FILE* pipe = ::popen(line.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    std::array<char, 4096> chunk{};
    while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe))
        output.append(chunk.data(), got);
    const int status = ::pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), output};
}

/// The scullpin command, its stderr thrown away.
inline outcome run(const std::string& arguments)
{
    return run_shell(SCULLPIN_COMMAND " " + arguments + " 2>/dev/null");
}

/// Names from a part of --help: of the lines below @p heading, the first words.
inline std::vector<std::string> names_in_help(const std::string& help, const std::string& heading)
{
    std::vector<std::string> names;
    std::istringstream lines(help.substr(std::min(help.find(heading), help.size())));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && !line.empty())
        if (line.starts_with("  ") && line[2] != ' ')
            names.push_back(line.substr(2, line.find(' ', 2) - 2));
    return names;
}

/// Every command that --help names.
inline std::vector<std::string> all_commands()
{
    auto names = names_in_help(run("--help").output, "Subcommands:");
    REQUIRE(names.size() >= 8);
    return names;
}

/// Every long option of a command, with its dashes.
inline std::vector<std::string> long_options(const std::string& command)
{
    std::vector<std::string> options;
    for (const auto& names : names_in_help(run(command + " --help").output, "Options:"))
        options.push_back(names.substr(names.find("--")));
    REQUIRE(!options.empty());
    return options;
}
