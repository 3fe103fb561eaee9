// SPDX-License-Identifier: MIT
// scullpin.1 says what the command line is.
#include <catch_amalgamated.hpp>

#include "command.hpp"

namespace {

/// The part of the page from a heading to the next of its rank.
std::string part(const std::string& page, const std::string& heading, const std::string& next)
{
    const auto begin = page.find("\n" + heading + "\n");
    if (begin == std::string::npos) return {};
    return page.substr(begin, page.find("\n" + next, begin + 1) - begin);
}

bool has(const std::string& text, const std::string& what)
{
    return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("the manual has every command with all of its options, in its synopsis and by itself")
{
    const auto page = run("manual").output;
    for (const auto& command : all_commands()) {
        CAPTURE(command);
        CHECK(has(part(page, ".Sh SYNOPSIS", ".Sh"), "\n.Cm " + command + "\n"));
        const auto section = part(page, ".Ss " + command, ".S");
        REQUIRE(!section.empty());
        for (const auto& option : long_options(command)) {
            CAPTURE(option);
            CHECK(has(section, "Fl Fl " + option.substr(2)));
        }
    }
}

TEST_CASE("the manual tells values, ranges, defaults and exit codes")
{
    const auto page = run("manual").output;
    const auto copy = part(page, ".Ss copy", ".S");
    CHECK(has(copy, "\n.Cm io_uring , libaio , mmap , sync , vectored .\nDefault:\n.Cm sync .\n"));
    CHECK(has(copy, "\nIn the range 1 - 4096.\nDefault:\n.Cm \\&1 .\n"));
    CHECK(has(copy, "\n.It Fl Fl bs Ar SIZE\nBytes a request.\nDefault:\n.Cm 128k .\n"));
    const auto codes = part(page, ".Sh EXIT STATUS", ".Sh");
    for (const char* code : {"0", "1", "2", "3", "4", "6", "128+n"})
        CHECK(has(codes, std::string("\n.It ") + code + "\n"));
}

TEST_CASE("the manual is the same again when SOURCE_DATE_EPOCH is")
{
    const auto page = run_shell("SOURCE_DATE_EPOCH=86400 " SCULLPIN_COMMAND " manual").output;
    CHECK(has(page, "\n.Dd January 2, 1970\n"));
}

TEST_CASE("the command that makes the manual is not in the help")
{
    CHECK(!has(run("--help").output, "manual"));
}
