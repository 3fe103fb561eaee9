// SPDX-License-Identifier: MIT
#include "tree.hpp"

#include <sstream>

namespace scullpin::cli {

namespace {

/// What stands between the first @p open and the next @p close; empty where they do not.
std::string between(const std::string& text, char open, char close)
{
    const auto begin = text.find(open);
    const auto end = text.find(close, begin == std::string::npos ? 0 : begin);
    if (begin == std::string::npos || end == std::string::npos) return {};
    return text.substr(begin + 1, end - begin - 1);
}

/// CLI11 keeps a set only in its validator's description: `{a,b}`.
std::vector<std::string> choices_of(const std::string& type)
{
    std::vector<std::string> choices;
    std::istringstream words(between(type, '{', '}'));
    for (std::string word; std::getline(words, word, ',');) choices.push_back(word);
    return choices;
}

std::vector<std::string> names_of(const CLI::Option& option)
{
    if (option.get_positional()) return {option.get_name(true)};
    std::vector<std::string> names;
    for (const auto& name : option.get_snames()) names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) names.push_back("--" + name);
    return names;
}

option_view view_of(const CLI::Option& option)
{
    option_view view;
    view.names = names_of(option);
    view.help = option.get_description();
    view.required = option.get_required();
    if (option.get_type_size_max() == 0) return view;
    const auto type = option.get_type_name();
    view.value = type.substr(0, type.find(':'));
    view.choices = choices_of(type);
    view.range = between(type, '[', ']');
    view.standard = option.get_default_str();
    view.repeats = option.get_items_expected_max() > 1;
    return view;
}

command_view view_of(const CLI::App& app)
{
    command_view view{app.get_name(), app.get_description(), app.get_footer(), {}, {}};
    for (const auto* option : app.get_options()) {
        if (option->get_group().empty()) continue;
        (option->get_positional() ? view.positionals : view.options).push_back(view_of(*option));
    }
    return view;
}

}  // namespace

tree_view describe(const CLI::App& app)
{
    tree_view tree{view_of(app), {}};
    for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
        if (!command->get_group().empty()) tree.commands.push_back(view_of(*command));
    return tree;
}

}  // namespace scullpin::cli
