// SPDX-License-Identifier: MIT
// ping: one read at a time, and how long it took.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "bench/offsets.hpp"
#include "bench/report.hpp"
#include "options.hpp"
#include "scullpin/aligned_buffer.hpp"

namespace scullpin::cli {

namespace {

using clock = std::chrono::steady_clock;

struct ping_options {
    common_options common;
    bench::job what;
    std::string path;
    std::chrono::milliseconds interval{1000};
    std::optional<std::uint64_t> count;
};

/// What was sent and what came back; text and JSON are both made from it.
struct ping_report {
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    double sum = 0;      ///< ns, of those that came back, as the others
    double squares = 0;  ///< ns * ns
    double min = 0;
    double max = 0;
    bool aborted = false;

    [[nodiscard]] double succeeded() const { return static_cast<double>(requests - errors); }
    [[nodiscard]] double mean() const { return sum / succeeded(); }
    [[nodiscard]] double mdev() const
    {
        return std::sqrt(std::max(squares / succeeded() - mean() * mean(), 0.0));
    }

    void add(double ns)
    {
        min = requests - errors == 0 ? ns : std::min(min, ns);
        max = std::max(max, ns);
        sum += ns;
        squares += ns * ns;
        requests++;
    }
};

std::string block_name(std::uint64_t bytes)
{
    auto text = format_size(static_cast<double>(bytes));
    if (const auto at = text.find(".0 "); at != std::string::npos) text.erase(at, 2);
    return text;
}

/// One request. @return ns, or why there is none
std::pair<double, std::string> ask(backend& requests, const operation& op)
{
    std::vector<completion> ended;
    const auto begun = clock::now();
    requests.submit({&op, 1});
    requests.reap(ended, 1);
    const std::chrono::duration<double, std::nano> time = clock::now() - begun;
    const auto result = ended.front().result;
    if (result < 0) return {0, bench::errno_name(static_cast<int>(-result))};
    if (static_cast<std::size_t>(result) < op.memory.size()) return {0, "short"};
    return {time.count(), {}};
}

void print_answer(const ping_options& options, std::uint64_t number, double ns,
                  const std::string& error)
{
    if (options.common.json) return;
    fmt::print("{} from {}: request={} {}\n", block_name(options.what.block_bytes), options.path,
               number, error.empty() ? "time=" + format_duration(ns) : "error=" + error);
    if (std::fflush(stdout) != 0) throw_errno("write the answer");  // somebody watches
}

ping_report ping(const ping_options& options, const device& node, const bench::span& where)
{
    const aligned_buffer buffer(options.what.block_bytes);
    const auto requests = make_backend(options.what.backend, node.fd(), 1);
    bench::offsets places(options.what, where, options.what.seed);
    ping_report report;
    while (!stop_requested && report.requests < options.count.value_or(~std::uint64_t{0})) {
        const operation op{direction::read, places.next(),
                           buffer.span().first(options.what.block_bytes), 0};
        const auto next = clock::now() + options.interval;
        const auto [ns, error] = ask(*requests, op);
        if (error.empty()) {
            report.add(ns);
        } else {
            report.requests++;
            report.errors++;
        }
        print_answer(options, report.requests, ns, error);
        if (report.requests != options.count) sleep_until_or_stop(next);
    }
    report.aborted = report.requests != options.count;
    return report;
}

nlohmann::ordered_json to_json(const ping_options& options, const ping_report& report)
{
    nlohmann::ordered_json document{
        {"schema", "scullpin-ping/1"},
        {"path", options.path},
        {"block_bytes", options.what.block_bytes},
        {"backend", to_string(options.what.backend)},
        {"direct", options.what.direct},
        {"interval_s", std::chrono::duration<double>(options.interval).count()},
        {"requests", report.requests},
        {"errors", report.errors},
        {"lat_ns", nullptr},
        {"aborted", report.aborted}};
    if (report.succeeded() > 0)
        document["lat_ns"] = {{"min", report.min},
                              {"mean", report.mean()},
                              {"max", report.max},
                              {"mdev", report.mdev()}};
    return document;
}

void print_summary(const ping_options& options, const ping_report& report)
{
    fmt::print("--- {}: {} requests, {} errors", options.path, report.requests, report.errors);
    if (report.succeeded() > 0)
        fmt::print("\nmin/avg/max/mdev = {} / {} / {} / {}", format_duration(report.min),
                   format_duration(report.mean()), format_duration(report.max),
                   format_duration(report.mdev()));
    fmt::print("\n");
}

int run(const ping_options& options)
{
    bench::check(options.what);
    const auto node = device::open(options.path, access::read_only, options.what.direct);
    const auto where = bench::span_of(options.what, node.shape(), options.path);
    const auto report = ping(options, node, where);
    if (options.common.json)
        std::cout << to_json(options, report).dump(2) << '\n';
    else
        print_summary(options, report);
    if (report.aborted) return by_signal + stop_signal;
    return report.errors > 0 || report.requests == 0 ? failure : ok;
}

}  // namespace

void add_ping(CLI::App& app, int& status)
{
    auto options = std::make_shared<ping_options>();
    auto* command = app.add_subcommand("ping", "the time of one read after the other");
    command->add_option("PATH", options->path, "any node or file")->required();
    add_duration(*command, "--interval", options->interval, "from one to the next (default 1s)");
    command->add_option("--count", options->count, "how many (default: until SIGINT)")
        ->check(CLI::PositiveNumber);
    add_size(*command, "--bs", options->what.block_bytes, "bytes a request (default 4k)", 1);
    add_backend(*command, options->what.backend);
    add_size(*command, "--offset", options->what.offset, "where to begin");
    add_size(*command, "--size", options->what.size, "bytes to use (default: to the end)");
    command->add_flag("--direct", options->what.direct, "open with O_DIRECT");
    command->add_option("--seed", options->what.seed, "of the places (default 1)");
    add_common(*command, options->common);
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace scullpin::cli
