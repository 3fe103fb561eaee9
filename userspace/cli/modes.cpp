// SPDX-License-Identifier: MIT
// modes: five ways to one medium, beside each other.
#include <cstdio>
#include <iostream>
#include <memory>

#include <fmt/core.h>

#include "bench/gnuplot.hpp"
#include "modes/report.hpp"
#include "options.hpp"
#include "plot.hpp"
#include "progress.hpp"
#include "scullpin/claims.hpp"

namespace scullpin::cli {

namespace {

struct modes_options {
    common_options common;
    modes::request what;
    std::string plot;
};

void take_range(modes::request& what, const std::string& text)
{
    const auto dash = text.find('-');
    what.least = parse_size(text.substr(0, dash));
    what.most = dash == std::string::npos ? what.least : parse_size(text.substr(dash + 1));
}

void add_modes_options(CLI::App& command, modes_options& options)
{
    auto& what = options.what;
    command.add_option("PATH", what.path, "any node or file")->required();
    command
        .add_option_function<std::string>(
            "--rw", [&what](const std::string& rw) { what.write = rw == "write"; },
            "read or write, which replaces what is there (default read)")
        ->check(CLI::IsMember({"read", "write"}))
        ->type_name("NAME");
    add_parsed(
        command, "--bsrange", "SIZE-SIZE",
        [&what](const std::string& text) { take_range(what, text); },
        "bytes a request, by powers of two (default 512-4m)");
    add_size(command, "--size", what.span, "bytes to use, from the start (default 16m)", 1);
    add_backend(command, what.backend);
    add_iodepth(command, what.iodepth);
    add_plot(command, options.plot, "figures");
    add_common(command, options.common);
}

modes::survey survey_of(const modes_options& options)
{
    const bool shown = shows_progress(options.common);
    modes::survey_control control;
    control.stop = &stop_requested;
    if (shown)
        control.progress = [](modes::way how, std::uint64_t size) {
            fmt::print(stderr, "\r{:<12} {:>8} bytes ", to_string(how), size);
        };
    auto all = modes::run(options.what, control);
    if (shown) fmt::print(stderr, "\r{:<30}\r", "");
    return all;
}

int run_modes(const modes_options& options)
{
    modes::check(options.what);
    if (!can_plot(options.plot, {options.what.path})) return no_device;
    claims held;
    if (options.what.write) held.add(options.what.path);
    const auto all = survey_of(options);
    if (options.common.json)
        std::cout << to_json(all).dump(2) << '\n';
    else
        std::cout << to_text(all);
    if (const auto script = modes::plot_script(all); !options.plot.empty() && !script.empty())
        bench::draw(options.plot, script);
    return all.aborted ? by_signal + stop_signal : int(ok);
}

}  // namespace

void add_modes(CLI::App& app, int& status)
{
    auto options = std::make_shared<modes_options>();
    auto* command = app.add_subcommand("modes",
                                       "cached, synchronous, mapped, direct, asynchronous: "
                                       "what each costs, by size");
    add_modes_options(*command, *options);
    command->callback([options, &status] { status = run_modes(*options); });
}

}  // namespace scullpin::cli
