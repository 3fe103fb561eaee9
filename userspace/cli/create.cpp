// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <fmt/core.h>

#include "configfs.hpp"
#include "options.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace {

struct create_options {
    std::string name;
    settings_list values;
};

void add_setting_size(CLI::App& command, const std::string& option, const char* setting,
                      create_options& options, const std::string& help)
{
    add_parsed(
        command, option, "SIZE",
        [&options, setting](const std::string& text) {
            options.values.emplace_back(setting, std::to_string(parse_size(text)));
        },
        help);
}

void add_setting_word(CLI::App& command, const std::string& option, const char* setting,
                      create_options& options, const std::vector<std::string>& words,
                      const std::string& help)
{
    command
        .add_option_function<std::string>(
            option,
            [&options, setting](const std::string& word) {
                options.values.emplace_back(setting, word);
            },
            help)
        ->check(CLI::IsMember(words));
}

void add_setting_number(CLI::App& command, const std::string& option, const char* setting,
                        create_options& options, const std::string& help)
{
    command
        .add_option_function<std::uint64_t>(
            option,
            [&options, setting](std::uint64_t number) {
                options.values.emplace_back(setting, std::to_string(number));
            },
            help)
        ->type_name("NUMBER");
}

void add_settings(CLI::App& command, create_options& options)
{
    add_setting_size(command, "--size", "size", options, "bytes on the device, sparse");
    add_setting_size(command, "--logical-block-size", "logical_block_size", options,
                     "unit of direct I/O, 512 to 4096");
    add_setting_size(command, "--dma-alignment", "dma_alignment", options,
                     "of addresses and lengths, 1 to 4096");
    add_setting_word(command, "--engine", "engine", options, {"cpu", "dma"},
                     "who moves the bytes: cpu or dma");
    add_setting_number(command, "--latency-us", "latency_us", options,
                       "microseconds before a request is moved");
    add_setting_size(command, "--bandwidth", "bandwidth", options, "bytes per second, 0 unlimited");
    add_setting_size(command, "--max-pinned", "max_pinned", options,
                     "bytes of user memory pinned at once");
    add_setting_word(command, "--unaligned", "unaligned", options, {"refuse", "buffered"},
                     "unaligned direct I/O: refuse or buffered");
    add_setting_word(command, "--completion", "completion", options, {"auto", "inline", "deferred"},
                     "when: auto, inline or deferred");
    add_setting_number(command, "--deadline-ms", "deadline_ms", options,
                       "milliseconds an engine may be silent");
}

/// @return the name of the node; what was begun is undone when it cannot be had
std::string create(const create_options& options)
{
    const auto folder = device_folder::make(options.name);
    try {
        folder.power_on(options.values);
        return folder.node();
    } catch (...) {
        folder.remove();
        throw;
    }
}

nlohmann::ordered_json create_document(const std::string& name, const std::string& node)
{
    nlohmann::ordered_json document{{"schema", "scullpin-create/1"}, {"name", name}};
    document["created"] = !node.empty();
    document["path"] = nullptr;
    if (!node.empty()) document["path"] = "/dev/" + node;
    if (!node.empty()) document.update(scullpin_attributes(node));
    document.erase("stats");
    return document;
}

void print_created(const nlohmann::ordered_json& document, bool json)
{
    if (json)
        std::cout << document.dump(2) << '\n';
    else if (document["created"].get<bool>())
        fmt::print("{}\n", document["path"].get<std::string>());
}

}  // namespace

void add_create(CLI::App& app, int& status)
{
    auto options = std::make_shared<common_options>();
    auto what = std::make_shared<create_options>();
    auto* command = app.add_subcommand("create", "make a device while the module runs");
    command->add_option("NAME", what->name, "scullpin7 asks for that node, others get any")
        ->required()
        ->type_name("NAME");
    add_settings(*command, *what);
    add_common(*command, *options);
    command->callback([options, what, &status] {
        try {
            print_created(create_document(what->name, create(*what)), options->json);
        } catch (const std::system_error&) {
            print_created(create_document(what->name, {}), options->json);
            throw;
        }
        status = ok;
    });
}

}  // namespace scullpin::cli
