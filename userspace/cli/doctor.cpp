// SPDX-License-Identifier: MIT
// doctor: what this machine lacks for the tools and the node, and what mends it.
#include <iostream>
#include <memory>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "checks.hpp"
#include "options.hpp"

namespace scullpin::cli {

namespace {

nlohmann::ordered_json or_null(const std::string& text)
{
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

nlohmann::ordered_json doctor_document(const machine& here)
{
    nlohmann::ordered_json document{{"schema", "scullpin-doctor/1"},
                                    {"device", here.device},
                                    {"required_missing", 0},
                                    {"checks", nlohmann::ordered_json::array()}};
    int missing = 0;
    for (const auto& row : all_checks()) {
        const auto found = row.look(here);
        const bool required = row.required(here);
        if (required && found.what != state::ok) missing++;
        document["checks"].push_back({{"name", row.name},
                                      {"needed_for", row.needed_for},
                                      {"required", required},
                                      {"state", to_string(found.what)},
                                      {"detail", found.detail},
                                      {"mend", or_null(found.mend)}});
    }
    document["required_missing"] = missing;
    return document;
}

void print_checks(const nlohmann::ordered_json& document)
{
    for (const auto& row : document["checks"]) {
        const bool well = row["mend"].is_null();
        fmt::print("{:<8} {:<9} {}{}\n", row["state"].get<std::string>(),
                   row["name"].get<std::string>(), row["detail"].get<std::string>(),
                   well ? ""
                        : fmt::format(" ({}for {})", row["required"].get<bool>() ? "required " : "",
                                      row["needed_for"].get<std::string>()));
        if (!well) fmt::print("         mend:     {}\n", row["mend"].get<std::string>());
    }
    const int missing = document["required_missing"];
    fmt::print("required and missing: {}\n", missing);
}

}  // namespace

void add_doctor(CLI::App& app, int& status)
{
    auto options = std::make_shared<common_options>();
    auto device = std::make_shared<std::string>("/dev/scullpin0");
    auto* command = app.add_subcommand("doctor", "what this machine lacks, and what mends it");
    auto* asked = command->add_option("--device", *device, "the node that shall be usable")
                      ->capture_default_str();
    add_common(*command, *options);
    command->footer(
        "Required are io_uring and libaio; with --device also the node and access to it, and the "
        "module if the node is named scullpin*. Exit 6 when something required is missing or "
        "broken, else 0. Nothing is changed.");
    command->callback([options, device, asked, &status] {
        const auto document = doctor_document(look_at_machine(*device, asked->count() > 0));
        if (options->json)
            std::cout << document.dump(2) << '\n';
        else
            print_checks(document);
        status = document["required_missing"] == 0 ? ok : no_device;
    });
}

}  // namespace scullpin::cli
