// SPDX-License-Identifier: MIT
// bench: how fast a node or file is, and how much of that is us.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>

#include <fmt/core.h>

#include "bench/plot.hpp"
#include "bench/report.hpp"
#include "bench/run.hpp"
#include "options.hpp"
#include "plot.hpp"
#include "progress.hpp"
#include "scullpin/claims.hpp"

namespace scullpin::cli {

namespace {

using bench::pattern;

struct bench_options {
    common_options common;
    bench::job what;
    std::vector<std::string> paths;
    std::string plot;
};

/// A path that is open and known to suit the job.
struct place {
    device node;
    bench::span where;
};

std::map<std::string, pattern> pattern_names()
{
    std::map<std::string, pattern> names;
    for (const auto rw : {pattern::read, pattern::write, pattern::randread, pattern::randwrite,
                          pattern::rw, pattern::randrw})
        names[to_string(rw)] = rw;
    return names;
}

void add_options(CLI::App& command, bench_options& options)
{
    auto& what = options.what;
    command.add_option("PATH", options.paths, "nodes or files, in turn; compared with the first")
        ->required();
    command
        .add_option("--rw", what.rw,
                    "read, write, randread, randwrite, rw or randrw (default randread)")
        ->transform(one_of(pattern_names()))
        ->type_name("NAME");
    add_size(command, "--bs", what.block_bytes, "bytes a request (default 4k)", 1);
    add_backend(command, what.backend);
    add_iodepth(command, what.iodepth);
    command.add_option("--numjobs", what.numjobs, "threads, each with its own back end")
        ->check(CLI::Range(1, 1024));
    add_size(command, "--offset", what.offset, "where to begin");
    add_size(command, "--size", what.size, "bytes to use; without --runtime they are passed once");
    add_duration(command, "--runtime", what.runtime, "how long (default 10s without --size)");
    command.add_option("--rwmixread", what.rwmixread, "percent of reads of rw and randrw (50)");
    command.add_flag("--fixedbufs", what.fixedbufs, "io_uring: registered memory");
    command.add_flag("--direct", what.direct, "open with O_DIRECT");
    command.add_option("--seed", what.seed, "of places, directions and data (default 1)");
    add_plot(command, options.plot, "latencies");
    add_common(command, options.common);
}

/// All paths, before any is touched.
std::vector<place> open_all(const bench_options& options, claims& held)
{
    std::vector<place> places;
    for (const auto& path : options.paths) {
        if (bench::writes(options.what.rw)) held.add(path);
        auto node = device::open(path, bench::access_of(options.what), options.what.direct);
        const auto where = bench::span_of(options.what, node.shape(), path);
        places.push_back({std::move(node), where});
    }
    return places;
}

bench::run_result run_one(const place& one, const bench_options& options)
{
    const auto limit = bench::time_limit(options.what);
    const auto seconds =
        limit ? std::optional(std::chrono::duration<double>(*limit).count()) : std::nullopt;
    const auto total = one.where.blocks * options.what.block_bytes * options.what.numjobs;
    progress_line line(options.common, total, seconds);
    bench::control how;
    how.stop = &stop_requested;
    how.progress = [&line](std::uint64_t bytes, auto) { line.update(bytes); };
    return bench::run(one.node, options.what, one.where, how);
}

bool wants_color(const common_options& options)
{
    if (options.color != "auto") return options.color == "always";
    return ::isatty(STDOUT_FILENO) != 0 &&
           std::getenv("NO_COLOR") ==
               nullptr;  // NOLINT(concurrency-mt-unsafe): no threads any more
}

void print_report(const bench::report& all, const common_options& options)
{
    if (options.json)
        std::cout << to_json(all).dump(2) << '\n';
    else
        std::cout << to_text(all, wants_color(options));
    std::cout.flush();
}

int status_of(const bench::report& all)
{
    int status = ok;
    for (const auto& path : all.paths) {
        for (const auto& side : path.sides)
            for (const auto& [name, count] : side.errors)
                fmt::print(stderr, "scullpin: {} {} requests of {} ended with {}\n", count,
                           side.name, path.path, name);
        if (path.operations() == 0 && !path.aborted)
            fmt::print(stderr, "scullpin: nothing ran on {}\n", path.path);
        if (path.operations() == 0 || path.errors() > 0) status = failure;
    }
    return all.aborted ? by_signal + stop_signal : status;
}

void say_what_has_no_effect(const bench_options& options)
{
    if (options.common.quiet || options.what.iodepth == 1 ||
        !bench::is_immediate(options.what.backend))
        return;
    fmt::print(stderr, "scullpin: {} ends each request before the next: --iodepth {} is 1\n",
               to_string(options.what.backend), options.what.iodepth);
}

int run(const bench_options& options)
{
    bench::check(options.what);
    if (!can_plot(options.plot, options.paths)) return no_device;
    claims held;
    const auto places = open_all(options, held);
    say_what_has_no_effect(options);
    const auto overhead = bench::overhead_ns(options.what, places.front().where);
    std::vector<bench::run_result> results;
    results.reserve(places.size());
    for (const auto& one : places) results.push_back(run_one(one, options));
    const auto all = bench::make_report(options.what, overhead, results);
    print_report(all, options.common);
    const int status = status_of(all);
    const bool any = std::any_of(all.paths.begin(), all.paths.end(),
                                 [](const auto& path) { return path.operations() > 0; });
    if (!options.plot.empty() && any) bench::plot(options.plot, results);
    return status;
}

}  // namespace

void add_bench(CLI::App& app, int& status)
{
    auto options = std::make_shared<bench_options>();
    auto* command = app.add_subcommand("bench", "rates and latencies, as fio would measure them");
    add_options(*command, *options);
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace scullpin::cli
