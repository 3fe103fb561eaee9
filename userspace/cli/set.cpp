// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <fmt/core.h>

#include "configfs.hpp"
#include "options.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace {

/// "latency_us=5"; @throws usage_error for what is no setting
std::pair<std::string, std::string> parse_assignment(const std::string& text)
{
    const auto at = text.find('=');
    if (at == std::string::npos || at + 1 == text.size())
        throw usage_error(text + " is not of the form SETTING=VALUE");
    if (!is_setting(text.substr(0, at)))
        throw usage_error(text.substr(0, at) + " is not a setting");
    return {text.substr(0, at), text.substr(at + 1)};
}

/// The settings that were asked for, as they are now.
nlohmann::ordered_json set_document(const std::string& name, const std::string& folder,
                                    const settings_list& values)
{
    nlohmann::ordered_json document{{"schema", "scullpin-set/1"}, {"name", name}};
    document["settings"] = nlohmann::ordered_json::object();
    for (const auto& assignment : values)
        document["settings"][assignment.first] = attribute_value(folder + "/" + assignment.first);
    return document;
}

void print_settings(const nlohmann::ordered_json& document)
{
    for (const auto& [setting, value] : document["settings"].items())
        fmt::print("{}: {}\n", setting,
                   value.is_string() ? value.get<std::string>() : value.dump());
}

}  // namespace

void add_set(CLI::App& app, int& status)
{
    auto options = std::make_shared<common_options>();
    auto name = std::make_shared<std::string>();
    auto texts = std::make_shared<std::vector<std::string>>();
    auto* command = app.add_subcommand("set", "change settings of a device while it is in use");
    command->add_option("NAME", *name, "as it was created, or its node")
        ->required()
        ->type_name("NAME");
    command->add_option("SETTING", *texts, "SETTING=VALUE: latency_us=100, max_pinned=1M")
        ->required()
        ->type_name("SETTING=VALUE");
    add_common(*command, *options);
    command->callback([options, name, texts, &status] {
        settings_list values;
        for (const auto& text : *texts) values.push_back(parse_assignment(text));
        const auto folder = settings_of(*name);
        for (const auto& [setting, value] : values) write_setting(folder, setting, value);
        const auto document = set_document(*name, folder, values);
        if (options->json)
            std::cout << document.dump(2) << '\n';
        else
            print_settings(document);
        status = ok;
    });
}

}  // namespace scullpin::cli
