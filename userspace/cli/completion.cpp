// SPDX-License-Identifier: MIT
// completion: a script for the shell, made from the command tree.
#include <algorithm>
#include <memory>

#include <fmt/core.h>
#include <fmt/format.h>

#include "options.hpp"
#include "tree.hpp"

namespace scullpin::cli {

namespace {

/// A word in single quotes, as all three shells read it.
std::string quoted(const std::string& text)
{
    std::string result = "'";
    for (const char letter : text)
        result += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    return result + "'";
}

std::vector<std::string> names_of(const std::vector<option_view>& options)
{
    std::vector<std::string> names;
    for (const auto& option : options)
        names.insert(names.end(), option.names.begin(), option.names.end());
    return names;
}

std::vector<std::string> names_of(const std::vector<command_view>& commands)
{
    std::vector<std::string> names(commands.size());
    std::transform(commands.begin(), commands.end(), names.begin(),
                   [](const command_view& command) { return command.name; });
    return names;
}

// bash ------------------------------------------------------------------------------------------

constexpr const char* bash_head =
    R"(# bash completion for scullpin, made by `scullpin completion bash`.
# shellcheck shell=bash
_scullpin() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' words='' options='' paths='' i
    COMPREPLY=()
    # --backend=io comes as three words.
    if [[ $word == = ]]; then
        word=''
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
    done
    case "$command $previous" in
)";

constexpr const char* bash_tail = R"(        esac
        [[ $word != -* && -n $words$paths ]] || { words=$options; paths=''; }
        ;;
    esac
    if [[ -n $paths ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    fi
}
complete -F _scullpin scullpin
)";

/// What comes after an option; nothing after one that takes a size or a number.
void bash_values(std::string& script, const command_view& command)
{
    for (const auto& option : command.options) {
        if (option.value.empty()) continue;
        for (const auto& name : option.names)
            script += fmt::format(
                "    {}) {} ;;\n", quoted(command.name + " " + name),
                option.is_path() ? "paths=1"
                : option.choices.empty()
                    ? "return"
                    : "words=" + quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    }
}

/// What stands by itself.
void bash_words(std::string& script, const std::string& pattern, const command_view& command,
                std::vector<std::string> words)
{
    bool paths = false;
    for (const auto& positional : command.positionals) {
        paths = paths || positional.is_path();
        words.insert(words.end(), positional.choices.begin(), positional.choices.end());
    }
    script += fmt::format("        {}) words='{}' options='{}' paths={} ;;\n", pattern,
                          fmt::join(words, " "), fmt::join(names_of(command.options), " "),
                          paths ? "1" : "''");
}

std::string bash_script(const tree_view& tree)
{
    std::string script = bash_head;
    for (const auto& command : tree.commands) bash_values(script, command);
    script += "    *)\n        case $command in\n";
    bash_words(script, "''", tree.program, names_of(tree.commands));
    for (const auto& command : tree.commands) bash_words(script, command.name, command, {});
    return script + bash_tail;
}

// zsh -------------------------------------------------------------------------------------------

/// Within a specification of _arguments, brackets and colons mean something.
std::string zsh_text(const std::string& text)
{
    std::string result;
    for (const char letter : text) {
        if (std::string_view("[]:\\").find(letter) != std::string_view::npos) result += '\\';
        result += letter;
    }
    return result;
}

std::string zsh_action(const option_view& option)
{
    if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
    return option.is_path() ? "_files" : " ";
}

void zsh_arguments(std::string& script, const command_view& command, const std::string& indent)
{
    for (const auto& option : command.options)
        for (const auto& name : option.names) {
            const bool flag = option.value.empty();
            const auto value = flag ? "" : fmt::format(":{}:{}", option.value, zsh_action(option));
            const auto text =
                fmt::format("{}{}[{}]{}", name, flag ? "" : "=", zsh_text(option.help), value);
            script += fmt::format(" \\\n{}{}", indent, quoted(text));
        }
    for (const auto& positional : command.positionals)
        script +=
            fmt::format(" \\\n{}{}", indent,
                        quoted(fmt::format("{}:{}:{}", positional.repeats ? "*" : "",
                                           positional.names.front(), zsh_action(positional))));
}

std::string zsh_script(const tree_view& tree)
{
    std::string script =
        "#compdef scullpin\n# made by `scullpin completion zsh`\n_scullpin() {\n"
        "    local line state\n    local -a commands\n    commands=(\n";
    for (const auto& command : tree.commands)
        script += fmt::format("        {}\n", quoted(command.name + ":" + zsh_text(command.help)));
    script += "    )\n    _arguments -C";
    zsh_arguments(script, tree.program, "        ");
    script +=
        " \\\n        '1:command:->command' \\\n        '*::argument:->argument'\n"
        "    case $state in\n    command) _describe command commands ;;\n"
        "    argument)\n        case $line[1] in\n";
    for (const auto& command : tree.commands) {
        script += fmt::format("        {})\n            _arguments", command.name);
        zsh_arguments(script, command, "                ");
        script += "\n            ;;\n";
    }
    return script +
           "        esac\n        ;;\n    esac\n}\n"
           "if [ \"$funcstack[1]\" = _scullpin ]; then _scullpin \"$@\"; "
           "else compdef _scullpin scullpin; fi\n";
}

// fish ------------------------------------------------------------------------------------------

std::string fish_option(const option_view& option)
{
    std::string line;
    for (const auto& name : option.names)
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (!option.choices.empty())
        line += fmt::format(" -x -a {}", quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    else if (!option.value.empty())
        line += option.is_path() ? " -r -F" : " -x";
    return line + " -d " + quoted(option.help);
}

void fish_command(std::string& script, const command_view& command)
{
    const auto seen =
        fmt::format("complete -c scullpin -n '__fish_seen_subcommand_from {}'", command.name);
    script += fmt::format("complete -c scullpin -n __fish_use_subcommand -a {} -d {}\n",
                          command.name, quoted(command.help));
    for (const auto& positional : command.positionals) {
        if (positional.is_path()) script += seen + " -F\n";
        if (!positional.choices.empty())
            script += fmt::format("{} -a '{}'\n", seen, fmt::join(positional.choices, " "));
    }
    for (const auto& option : command.options) script += seen + fish_option(option) + "\n";
}

std::string fish_script(const tree_view& tree)
{
    std::string script = "# made by `scullpin completion fish`\ncomplete -c scullpin -f\n";
    for (const auto& option : tree.program.options)
        script += "complete -c scullpin -n __fish_use_subcommand" + fish_option(option) + "\n";
    for (const auto& command : tree.commands) fish_command(script, command);
    return script;
}

}  // namespace

void add_completion(CLI::App& app, int& status)
{
    auto shell = std::make_shared<std::string>();
    auto* command =
        app.add_subcommand("completion", "a completion script for the shell, on stdout");
    command->add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->footer(
        "For bash: source <(scullpin completion bash). For zsh: the same, after compinit. For "
        "fish: "
        "scullpin completion fish | source.");
    command->callback([&app, shell, &status] {
        const auto tree = describe(app);
        fmt::print("{}", *shell == "bash"  ? bash_script(tree)
                         : *shell == "zsh" ? zsh_script(tree)
                                           : fish_script(tree));
        status = ok;
    });
}

}  // namespace scullpin::cli
