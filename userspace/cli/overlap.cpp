// SPDX-License-Identifier: MIT
// overlap: how much of the I/O is hidden behind computation, by each way to reach the data.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

#include <fmt/core.h>

#include "bench/gnuplot.hpp"
#include "options.hpp"
#include "overlap/report.hpp"
#include "plot.hpp"
#include "progress.hpp"

namespace scullpin::cli {

namespace {

struct overlap_options {
    common_options common;
    overlap::request what;
    std::string plot;
};

void add_overlap_options(CLI::App& command, overlap_options& options)
{
    static const std::map<std::string, backend_kind> backends{{"libaio", backend_kind::libaio},
                                                              {"io_uring", backend_kind::io_uring}};
    auto& what = options.what;
    command.add_option("PATH", what.path, "any node or file; it is only read")->required();
    add_size(command, "--bs", what.block_bytes, "bytes a block (default 64k)", 1);
    add_size(command, "--size", what.size, "bytes to use, from the start (default 64 blocks)", 1);
    add_duration(command, "--compute", what.computation,
                 "computation on each block (default: as long as its direct I/O)");
    command
        .add_option("--backend", what.backend,
                    "of the asynchronous way: libaio or io_uring (default: the first that works)")
        ->transform(one_of(backends))
        ->type_name("NAME");
    add_iodepth(command, what.iodepth);
    command.add_option("--rounds", what.rounds, "of which the shortest times are taken")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    add_plot(command, options.plot, "times");
    add_common(command, options.common);
}

overlap::result measure_overlap(const overlap_options& options)
{
    const bool shown = shows_progress(options.common);
    overlap::control control;
    control.stop = &stop_requested;
    if (shown)
        control.progress = [&options](overlap::way how, unsigned round) {
            fmt::print(stderr, "\r{:<12} round {} of {} ", to_string(how), round,
                       options.what.rounds);
        };
    auto all = overlap::run(options.what, control);
    if (shown) fmt::print(stderr, "\r{:<40}\r", "");
    return all;
}

int run_overlap(const overlap_options& options)
{
    overlap::check(options.what);
    if (!can_plot(options.plot, {options.what.path})) return no_device;
    const auto all = measure_overlap(options);
    if (options.common.json)
        std::cout << to_json(all).dump(2) << '\n';
    else
        std::cout << to_text(all);
    std::cout.flush();
    if (const auto script = overlap::plot_script(all); !options.plot.empty() && !script.empty())
        bench::draw(options.plot, script);
    return all.aborted ? by_signal + stop_signal : int(ok);
}

}  // namespace

void add_overlap(CLI::App& app, int& status)
{
    auto options = std::make_shared<overlap_options>();
    auto* command = app.add_subcommand("overlap",
                                       "how much of the I/O is hidden behind computation, "
                                       "by each of five ways");
    add_overlap_options(*command, *options);
    command->callback([options, &status] { status = run_overlap(*options); });
}

}  // namespace scullpin::cli
