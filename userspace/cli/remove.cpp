// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <fmt/core.h>

#include "configfs.hpp"
#include "options.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace {

void print_removed(const std::string& name, bool removed, bool json)
{
    const nlohmann::ordered_json document{
        {"schema", "scullpin-remove/1"}, {"name", name}, {"removed", removed}};
    if (json)
        std::cout << document.dump(2) << '\n';
    else if (removed)
        fmt::print("{} is removed\n", name);
}

}  // namespace

void add_remove(CLI::App& app, int& status)
{
    auto options = std::make_shared<common_options>();
    auto name = std::make_shared<std::string>();
    auto* command = app.add_subcommand(
        "remove", "take a device away, also one that is busy: its requests end with ENODEV");
    command->add_option("NAME", *name, "as it was created, or its node")
        ->required()
        ->type_name("NAME");
    add_common(*command, *options);
    command->callback([options, name, &status] {
        try {
            device_folder::find(*name).remove();
        } catch (const std::system_error&) {
            print_removed(*name, false, options->json);
            throw;
        }
        print_removed(*name, true, options->json);
        status = ok;
    });
}

}  // namespace scullpin::cli
