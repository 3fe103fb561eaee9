// SPDX-License-Identifier: MIT
// The completion scripts, loaded by the shells that they are for.
#include <algorithm>
#include <sstream>

#include <catch_amalgamated.hpp>

#include "command.hpp"
#include "temporary.hpp"

namespace {

using words = std::vector<std::string>;

words lines_of(const std::string& text)
{
    words lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
}

bool has_shell(const std::string& shell)
{
    return run_shell("command -v " + shell + " >/dev/null 2>&1").status == 0;
}

std::string script_file(const temporary_folder& folder, const std::string& shell)
{
    const auto file = folder.file(shell);
    REQUIRE(run("completion " + shell + " >" + file).status == 0);
    return file;
}

/// What bash would offer after these words, the last of which is being typed; sorted.
words offers(const std::string& folder, const words& typed)
{
    std::string line =
        "cd " + folder +
        " && bash --norc -c 'source ./bash && COMP_WORDS=(\"$@\") && "
        "COMP_CWORD=$(($# - 1)) && _scullpin && "
        "[ ${#COMPREPLY[@]} = 0 ] || printf \"%s\\n\" \"${COMPREPLY[@]}\"' bash scullpin";
    for (const auto& word : typed) line += " '" + word + "'";
    const auto result = run_shell(line);
    CHECK(result.status == 0);
    return lines_of(result.output);
}

/// Whether a script for fish or zsh names an option as that shell writes it.
bool names_option(const std::string& script, const std::string& shell, const std::string& command,
                  const std::string& option)
{
    const auto begin = shell == "fish"
                           ? "complete -c scullpin -n '__fish_seen_subcommand_from " + command
                           : "\n        " + command + ")\n";
    const auto end = shell == "fish" ? "\n" : "\n            ;;\n";
    const auto wanted = shell == "fish" ? " -l " + option.substr(2) + " " : "'" + option;
    for (auto at = script.find(begin); at != std::string::npos; at = script.find(begin, at + 1))
        if (script.substr(at, script.find(end, at + 1) - at).find(wanted) != std::string::npos)
            return true;
    return false;
}

void check_script(const std::string& shell)
{
    const auto script = run("completion " + shell).output;
    for (const auto& command : all_commands())
        for (const auto& option : long_options(command)) {
            CAPTURE(shell, command, option);
            CHECK(names_option(script, shell, command, option));
        }
    const temporary_folder folder;
    if (!has_shell(shell)) SKIP(shell + " is not installed: its script was not parsed");
    CHECK(run_shell(shell + " -n " + script_file(folder, shell) + " 2>&1").output.empty());
}

}  // namespace

TEST_CASE("bash completes commands, options, values of options and paths")
{
    const temporary_folder folder;
    if (!has_shell("bash")) SKIP("bash is not installed");
    script_file(folder, "bash");
    write_file(folder.file("image one.bin"), {});
    const auto here = folder.file("");
    auto commands = all_commands();
    std::sort(commands.begin(), commands.end());
    CHECK(offers(here, {""}) == commands);
    CHECK(offers(here, {"ver"}) == words{"verify"});
    CHECK(offers(here, {"--v"}) == words{"--version"});
    CHECK(offers(here, {"copy", "--io"}) == words{"--iodepth"});
    CHECK(offers(here, {"list", "--io"}).empty());
    const words backends{"io_uring", "libaio", "mmap", "sync", "vectored"};
    CHECK(offers(here, {"copy", "--backend", ""}) == backends);
    CHECK(offers(here, {"copy", "--backend", "="}) == backends);
    CHECK(offers(here, {"copy", "a", "--backend", "=", "li"}) == words{"libaio"});
    CHECK(offers(here, {"info", "--progress", "a"}) == words{"always", "auto"});
    CHECK(offers(here, {"copy", "--bs", ""}).empty());
    CHECK(offers(here, {"copy", "--direct", "im"}) == words{"image one.bin"});
    CHECK(offers(here, {"read", "--output", "im"}) == words{"image one.bin"});
    CHECK(offers(here, {"completion", ""}) == words{"bash", "fish", "zsh"});
    CHECK(offers(here, {"list", ""}) != words{});
}

TEST_CASE("bash is offered every option of every command")
{
    const temporary_folder folder;
    if (!has_shell("bash")) SKIP("bash is not installed");
    script_file(folder, "bash");
    for (const auto& command : all_commands()) {
        CAPTURE(command);
        auto options = long_options(command);
        std::sort(options.begin(), options.end());
        CHECK(offers(folder.file(""), {command, "--"}) == options);
    }
}

TEST_CASE("the script for zsh is well formed and names every command and option")
{
    check_script("zsh");
}

TEST_CASE("the script for fish is well formed and names every command and option")
{
    check_script("fish");
}

TEST_CASE("a shell that is not known is wrong usage")
{
    CHECK(run("completion csh").status == 2);
    CHECK(run("completion").status == 2);
}
