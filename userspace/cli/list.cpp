// SPDX-License-Identifier: MIT
#include <iostream>
#include <memory>

#include <fmt/core.h>

#include "options.hpp"
#include "scullpin/size.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace {

using namespace nlohmann::literals;

nlohmann::ordered_json list_document()
{
    nlohmann::ordered_json document{{"schema", "scullpin-list/1"},
                                    {"devices", nlohmann::ordered_json::array()}};
    for (const auto& name : scullpin_devices()) {
        nlohmann::ordered_json device{{"name", name}, {"path", "/dev/" + name}};
        device.update(scullpin_attributes(name));
        document["devices"].push_back(std::move(device));
    }
    return document;
}

void print_list(const nlohmann::ordered_json& document)
{
    for (const auto& device : document["devices"])
        fmt::print("{}  {}  blocks of {}  engine {}  {} in flight\n",
                   device["path"].get<std::string>(), format_size(device.value("size_bytes", 0.0)),
                   device.value("logical_block_bytes", 0), device.value("engine", "?"),
                   device.value("/stats/in_flight"_json_pointer, 0));
}

}  // namespace

void add_list(CLI::App& app, int& status)
{
    auto options = std::make_shared<common_options>();
    auto* command = app.add_subcommand("list", "the scullpin devices of this machine");
    add_common(*command, *options);
    command->callback([options, &status] {
        const auto document = list_document();
        if (options->json)
            std::cout << document.dump(2) << '\n';
        else
            print_list(document);
        if (document["devices"].empty()) {
            fmt::print(stderr, "scullpin: no device; load the module: insmod scullpin.ko\n");
            status = no_device;
        }
    });
}

}  // namespace scullpin::cli
