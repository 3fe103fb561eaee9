// SPDX-License-Identifier: MIT
#include <filesystem>
#include <iostream>
#include <memory>

#include <fmt/core.h>

#include "options.hpp"
#include "scullpin/device.hpp"
#include "scullpin/size.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace {

nlohmann::ordered_json info_document(const std::string& path)
{
    const auto node = device::open(path, access::read_only, false);
    const auto& shape = node.shape();
    nlohmann::ordered_json document{
        {"schema", "scullpin-info/1"}, {"path", path}, {"kind", to_string(shape.what)}};
    document["size_bytes"] = shape.size ? nlohmann::ordered_json(*shape.size) : nullptr;
    document["logical_block_bytes"] = shape.logical_block_size;
    document["dma_alignment_bytes"] = shape.dma_alignment;
    if (shape.what == geometry::kind::character_device)
        document.update(scullpin_attributes(std::filesystem::canonical(path).filename()));
    return document;
}

void print_info(const nlohmann::ordered_json& document)
{
    for (const auto& [key, value] : document.items()) {
        if (key == "schema") continue;
        if (!value.is_object()) {
            fmt::print("{}: {}\n", key,
                       value.is_string() ? value.get<std::string>() : value.dump());
            continue;
        }
        for (const auto& [counter, number] : value.items())
            fmt::print("{}.{}: {}\n", key, counter, number.dump());
    }
}

}  // namespace

void add_info(CLI::App& app, int& status)
{
    auto options = std::make_shared<common_options>();
    auto path = std::make_shared<std::string>();
    auto* command = app.add_subcommand("info", "what a node or file is, and how to align for it");
    command->add_option("PATH", *path, "any node or file")->required();
    add_common(*command, *options);
    command->callback([options, path, &status] {
        const auto document = info_document(*path);
        if (options->json)
            std::cout << document.dump(2) << '\n';
        else
            print_info(document);
        status = ok;
    });
}

}  // namespace scullpin::cli
