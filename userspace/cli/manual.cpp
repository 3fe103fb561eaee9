// SPDX-License-Identifier: MIT
// manual: scullpin.1 in mdoc(7), made from the command tree.
#include <cctype>
#include <cstdlib>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <fmt/format.h>

#include "options.hpp"
#include "tree.hpp"

namespace scullpin::cli {

namespace {

/// Text for lines of its own: a backslash is a backslash, a dot at the beginning no macro, and a
/// new sentence begins a new line, as mdoc wants it.
std::string text_line(const std::string& text)
{
    std::string line = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
    for (const char letter : text) {
        if (letter == ' ' && line.ends_with('.'))
            line += '\n';
        else
            line += letter == '\\' ? std::string("\\e") : std::string(1, letter);
    }
    return line + "\n";
}

std::string sentence(std::string text)
{
    if (text.empty()) return text;
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
    return text_line(text.ends_with('.') ? text : text + ".");
}

/// An argument of a macro; a short one could be the name of a macro itself.
std::string word(const std::string& text)
{
    return text.size() <= 3 ? "\\&" + text : text;
}

/// "--json" is `Fl Fl json`, "-h" is `Fl h`.
std::string flag(const std::string& name)
{
    return name.starts_with("--") ? "Fl Fl " + name.substr(2) : "Fl " + name.substr(1);
}

/// The build's day, or the one that SOURCE_DATE_EPOCH says, so that builds can be repeated.
std::string date()
{
    const char* epoch = std::getenv("SOURCE_DATE_EPOCH");  // NOLINT(concurrency-mt-unsafe)
    const std::time_t now =
        epoch != nullptr ? std::strtoll(epoch, nullptr, 10) : std::time(nullptr);
    const auto day = fmt::gmtime(now);
    return fmt::format("{:%B} {}, {}", day, day.tm_mday, day.tm_year + 1900);
}

std::string synopsis(const command_view& command)
{
    auto text = fmt::format(".Nm\n.Cm {}\n", command.name);
    if (!command.options.empty()) text += ".Op Ar options\n";
    for (const auto& positional : command.positionals)
        text += fmt::format("{} {}{}\n", positional.required ? ".Ar" : ".Op Ar",
                            word(positional.names.front()), positional.repeats ? " ..." : "");
    return text;
}

std::string item(const option_view& option, bool positional)
{
    std::string text = ".It";
    const char* separator = " ";
    for (const auto& name : option.names) {
        text += separator + (positional ? "Ar " + word(name) : flag(name));
        separator = " , ";
    }
    if (!positional && !option.value.empty())
        text += " Ar " + word(option.is_path() ? "PATH" : option.value);
    text += "\n" + sentence(option.help);
    if (!option.choices.empty())
        text += fmt::format("One of\n.Cm {} .\n", fmt::join(option.choices, " , "));
    if (!option.range.empty()) text += fmt::format("In the range {}.\n", option.range);
    if (!option.standard.empty())
        text += fmt::format("Default:\n.Cm {} .\n", word(option.standard));
    return text;
}

std::string items(const command_view& command)
{
    std::string text = ".Bl -tag -width Ds\n";
    for (const auto& positional : command.positionals) text += item(positional, true);
    for (const auto& option : command.options) text += item(option, false);
    return text + ".El\n";
}

std::string section(const command_view& command)
{
    auto text = fmt::format(".Ss {}\n", command.name) + sentence(command.help);
    if (!command.footer.empty()) text += ".Pp\n" + text_line(command.footer);
    return text + items(command);
}

constexpr const char* ending = R"(.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
All went well.
.It 1
Something failed.
.It 2
The command line makes no sense.
.It 3
Data differ.
.It 4
What was asked for cannot be done on this machine or path, and nothing was; the reason is said.
.It 6
There is no such device, it is not this user's to use, or something that is required is missing.
.It 128+n
Signal n ended the command.
.El
.Sh EXAMPLES
An image to a device by 32 requests at once, and the proof that it is there:
.Bd -literal -offset indent
scullpin copy --direct --backend io_uring --iodepth 32 image.bin /dev/scullpin0
scullpin verify image.bin /dev/scullpin0
.Ed
.Sh SEE ALSO
.Xr scullpin 4
)";

std::string manual(const tree_view& tree)
{
    auto text = fmt::format(
        ".\\\" SPDX-License-Identifier: MIT\n.\\\" Made by `scullpin manual` from the command "
        "tree.\n"
        ".Dd {}\n.Dt SCULLPIN 1\n.Os \"scullpin {}\"\n.Sh NAME\n.Nm scullpin\n.Nd {}\n.Sh "
        "SYNOPSIS\n"
        ".Nm\n.Op Fl Fl help | Fl Fl version\n",
        date(), SCULLPIN_VERSION, tree.program.help);
    for (const auto& command : tree.commands) text += synopsis(command);
    text +=
        ".Sh DESCRIPTION\nThe commands take any node or file, not only those of the scullpin "
        "driver.\n"
        "The answer is on stdout, as text or as one JSON document; progress and errors are on "
        "stderr.\n"
        "Sizes are bytes, with k, M, G or T for powers of 1024.\n.Pp\nWithout a command:\n";
    text += items(tree.program);
    for (const auto& command : tree.commands) text += section(command);
    return text + ending;
}

}  // namespace

void add_manual(CLI::App& app, int& status)
{
    auto* command = app.add_subcommand("manual", "scullpin.1, for the build");
    command->group("");  // not in --help
    command->callback([&app, &status] {
        fmt::print("{}", manual(describe(app)));
        status = ok;
    });
}

}  // namespace scullpin::cli
