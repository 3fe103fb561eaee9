// SPDX-License-Identifier: MIT
// stat: what the devices have done, once or again and again.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/core.h>

#include "options.hpp"
#include "progress.hpp"
#include "stat_report.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace {

using clock = std::chrono::steady_clock;

struct stat_options {
    common_options common;
    std::vector<std::string> nodes;
    std::optional<std::chrono::milliseconds> watch;
    std::optional<std::uint64_t> count;
};

std::vector<device_counters> look(const std::vector<std::string>& names)
{
    std::vector<device_counters> devices;
    devices.reserve(names.size());
    for (const auto& name : names) devices.push_back(read_counters(name));
    return devices;
}

std::vector<std::string> names_of(const stat_options& options)
{
    std::vector<std::string> names;
    for (const auto& node : options.nodes) names.push_back(std::filesystem::path(node).filename());
    return options.nodes.empty() ? scullpin_devices() : names;
}

/// The row of an interval: on stdout, or on stderr where a document will be the answer.
void show(const stat_options& options, const interval& passed, bool first)
{
    if (!options.common.json) {
        fmt::print("{}{}", first ? stat_heading() : "", to_text(passed));
        if (std::fflush(stdout) != 0) throw_errno("write the answer");  // somebody watches
    } else if (shows_progress(options.common)) {
        fmt::print(stderr, "{}{}", first ? stat_heading() : "", to_text(passed));
    }
}

void watch(const stat_options& options, const std::vector<std::string>& names, stat_report& report)
{
    auto next = clock::now() + *options.watch;
    auto before = report.devices;
    auto then = clock::now();
    while (report.intervals.size() < options.count.value_or(~std::uint64_t{0})) {
        sleep_until_or_stop(next);
        if (stop_requested) break;
        next += *options.watch;
        report.devices = look(names);
        const auto now = clock::now();
        report.intervals.push_back(
            between(report.devices, before, std::chrono::duration<double>(now - then).count()));
        show(options, report.intervals.back(), report.intervals.size() == 1);
        before = report.devices;
        then = now;
    }
    report.aborted = report.intervals.size() != options.count;
}

int run(const stat_options& options)
{
    if (options.count && !options.watch) throw usage_error("--count counts the rows of --watch");
    if (options.watch && options.watch->count() == 0) throw usage_error("--watch 0 has no end");
    const auto names = names_of(options);
    stat_report report{look(names), {}, false};
    if (options.watch && !names.empty()) watch(options, names, report);
    if (options.common.json)
        std::cout << to_json(report).dump(2) << '\n';
    else if (!options.watch)
        fmt::print("{}", to_text(report.devices));
    if (names.empty()) {
        fmt::print(stderr, "scullpin: no device; load the module: insmod scullpin.ko\n");
        return no_device;
    }
    return report.aborted ? by_signal + stop_signal : int(ok);
}

}  // namespace

void add_stat(CLI::App& app, int& status)
{
    auto options = std::make_shared<stat_options>();
    auto* command = app.add_subcommand(
        "stat", "counters of scullpin devices, why requests were refused, how long they took");
    command->add_option("NODE", options->nodes, "scullpin devices (default: all)");
    add_duration(*command, "--watch", options->watch,
                 "rates and latencies of each interval of this length");
    command->add_option("--count", options->count, "intervals (default: until SIGINT)")
        ->check(CLI::PositiveNumber);
    add_common(*command, options->common);
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace scullpin::cli
