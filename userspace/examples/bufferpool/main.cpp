// SPDX-License-Identifier: MIT
// A program that caches for itself, as databases do, beside the same work through the page cache.
#include <cstdio>
#include <map>

#include <fmt/core.h>

#include "cli/options.hpp"
#include "report.hpp"
#include "stress/claim.hpp"
#include "scullpin/claims.hpp"

namespace {

using namespace scullpin;
using namespace scullpin::bufferpool;

struct answer_options {
    bool json = false;
    std::optional<std::uint64_t> size;
};

template <typename Kind>
std::map<std::string, Kind> names_of(std::span<const Kind> kinds)
{
    std::map<std::string, Kind> names;
    for (const auto kind : kinds) names[to_string(kind)] = kind;
    return names;
}

void add_work(CLI::App& app, run_settings& settings)
{
    auto& work = settings.work;
    app.add_option("--operations", settings.operations, "point accesses")->capture_default_str();
    app.add_option("--updates", work.updates_percent, "percent of them, with --write")
        ->check(CLI::Range(0, 100))
        ->capture_default_str();
    app.add_option("--skew", work.skew, "of their Zipf distribution, above 0 and below 1")
        ->check(CLI::Range(0.01, 0.999))
        ->capture_default_str();
    app.add_option("--scan-every", work.scan_every, "point accesses; 0: no scans")
        ->capture_default_str();
    app.add_option("--scan-pages", work.scan_pages, "of each scan")->capture_default_str();
    app.add_option("--seed", work.seed, "the same seed is the same accesses")
        ->capture_default_str();
}

void add_ways(CLI::App& app, run_settings& settings)
{
    auto& pages = settings.pages;
    app.add_option("--ways", settings.ways,
                   "of pool, cached, mapped, pool-over-cache (default all)")
        ->delimiter(',')
        ->transform(cli::one_of(names_of(all_way_kinds())))
        ->type_name("NAME,...");
    cli::add_size(app, "--memory", pages.memory_bytes, "of the own cache (default 16M)", 4096);
    app.add_option("--backend", pages.backend,
                   "of the own cache (default io_uring, or libaio where it is refused)")
        ->transform(cli::one_of(names_of(all_backend_kinds())))
        ->type_name("NAME");
    cli::add_iodepth(app, pages.iodepth);
    app.add_flag("--random-advice", pages.random_advice,
                 "cached and mapped: ask the kernel not to read ahead");
    app.add_flag("--write", pages.writable, "updates write; WHAT IS AT PATH IS LOST");
}

/// As many pages as the path has, or as were asked for.
std::uint64_t pages_of(const run_settings& settings, const answer_options& options)
{
    const auto how = settings.pages.writable ? access::read_write : access::read_only;
    const auto node = device::open(settings.path, how, false);
    if (settings.pages.writable) stress::refuse_open_elsewhere(node);
    if (!node.shape().size) throw usage_error(settings.path + " has no size");
    const std::uint64_t there = *node.shape().size;
    const std::uint64_t pages = options.size.value_or(there) / settings.pages.page_bytes;
    if (pages == 0 || pages > there / settings.pages.page_bytes)
        throw usage_error(fmt::format("{} has {} bytes", settings.path, there));
    return pages;
}

int serve_all(run_settings& settings, const answer_options& options)
{
    claims held;
    if (settings.pages.writable) held.add(settings.path);
    if (settings.pages.page_bytes % 4096 != 0) throw usage_error("--page is a multiple of 4096");
    if (settings.pages.memory_bytes < settings.pages.page_bytes)
        throw usage_error("--memory is less than a page");
    if (settings.ways.empty()) settings.ways.assign(all_way_kinds().begin(), all_way_kinds().end());
    settings.pages.pages = settings.work.pages = pages_of(settings, options);
    const auto report = run(settings);
    fmt::print("{}", options.json ? to_json(settings, report) : to_text(settings, report));
    if (std::fflush(stdout) != 0) throw_errno("write the answer");
    if (report.aborted) return cli::by_signal + cli::stop_signal;
    if (report.checksums_agree()) return cli::ok;
    fmt::print(stderr, "bufferpool: the ways did not read the same\n");
    return cli::mismatch;
}

int start(int argc, char** argv)
{
    run_settings settings;
    answer_options options;
    settings.operations = 40000;
    settings.work.scan_every = 4000;
    settings.work.scan_pages = 4096;
    settings.pages.memory_bytes = std::size_t{16} << 20;
    settings.stop = &cli::stop_requested;
    CLI::App app{"Random pages through a cache of one's own, the page cache, and a mapping",
                 "bufferpool"};
    app.set_version_flag("--version", SCULLPIN_VERSION);
    app.add_option("PATH", settings.path, "any node or file")->required();
    cli::add_size(app, "--size", options.size, "bytes to use (default: all there are)", 4096);
    cli::add_size(app, "--page", settings.pages.page_bytes, "of one page (default 4k)", 4096);
    add_work(app, settings);
    add_ways(app, settings);
    app.add_flag("--json", options.json, "the answer as one JSON document");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? int(cli::ok) : int(cli::usage);
    }
    return serve_all(settings, options);
}

int fail(const std::exception& error, int status)
{
    fmt::print(stderr, "bufferpool: {}\n", error.what());
    return status;
}

}  // namespace

int main(int argc, char** argv)
{
    cli::install_signal_handlers();
    try {
        return start(argc, argv);
    } catch (const usage_error& error) {
        return fail(error, cli::usage);
    } catch (const wrong_page& error) {
        return fail(error, cli::mismatch);
    } catch (const open_error& error) {
        return fail(error, cli::status_of(error));
    } catch (const std::exception& error) {
        return fail(error, cli::failure);
    }
}
