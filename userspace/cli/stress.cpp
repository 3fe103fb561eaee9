// SPDX-License-Identifier: MIT
// stress: any node or file under requests of every kind, each compared with what may be there.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "options.hpp"
#include "progress.hpp"
#include "stress_report.hpp"
#include "target.hpp"
#include "scullpin/device.hpp"
#include "scullpin/error.hpp"
#include "stress/run.hpp"
#include "stress/thread.hpp"

namespace scullpin::cli {

namespace {

using stress::act;
using stress::event;
using stress::memory_kind;
using stress::profile;

struct stress_options {
    common_options common;
    stress::settings each;
    std::vector<std::string> paths;
    std::optional<std::uint64_t> seed;
    bool self_test = false;
};

constexpr std::uint64_t default_seconds = 10;

template <typename Value>
std::map<std::string, Value> names_of(std::initializer_list<Value> values)
{
    std::map<std::string, Value> names;
    for (const auto value : values) names[to_string(value)] = value;
    return names;
}

template <typename Value>
void add_set(CLI::App& command, const std::string& name, std::vector<Value>& values,
             std::initializer_list<Value> all, const std::string& help)
{
    command.add_option(name, values, help)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->transform(one_of(names_of(all)))
        ->type_name("NAME,...");
}

void add_sets(CLI::App& command, stress::settings& each)
{
    add_set(command, "--backend", each.backends,
            {backend_kind::sync, backend_kind::vectored, backend_kind::libaio,
             backend_kind::io_uring, backend_kind::mmap},
            "only these (default: all that work)");
    add_set(command, "--operations", each.acts, {act::read, act::write, act::sync, act::discard},
            "only these (default: all that work)");
    add_set(command, "--memory", each.memory,
            {memory_kind::base, memory_kind::thp, memory_kind::hugetlb, memory_kind::file,
             memory_kind::shared, memory_kind::fixed},
            "only these kinds (default: all there are)");
    add_set(command, "--hostile", each.hostile,
            {event::fork, event::unmap, event::cancel, event::kill, event::pageout, event::signals,
             event::memcg},
            "what happens around the requests (default: nothing)");
    command.add_option("--profile", each.how, "how places and lengths are chosen (default random)")
        ->transform(one_of(names_of(
            {profile::random, profile::sequential, profile::hot, profile::small, profile::large})))
        ->type_name("NAME");
}

void add_options(CLI::App& command, stress_options& options)
{
    auto& each = options.each;
    command.add_option("PATH", options.paths, "nodes or files, all at once");
    command.add_flag("--write", each.write, "write, too: what is on the paths is lost");
    command.add_flag("--direct", each.direct, "open with O_DIRECT");
    command.add_flag("--mixed", each.mixed,
                     "open both ways at once; the device keeps them coherent");
    command.add_flag("--atomic", each.atomic, "requests that overlap may not mix within a block");
    command.add_option("--numjobs", each.jobs, "workers a path (default 2)")
        ->check(CLI::Range(1, 256));
    command.add_option("--iodepth", each.depth, "requests in flight a worker (default 8)")
        ->check(CLI::Range(1, 1024));
    add_size(command, "--bs", each.most_bytes, "the longest request (default 128k)", 1);
    add_size(command, "--offset", each.offset, "where to begin");
    add_size(command, "--size", each.size, "bytes to use (default: all, 64M at most)", 1);
    add_sets(command, each);
    add_duration(command, "--runtime", each.runtime, "how long (default 10s without --ops)");
    command.add_option("--ops", each.ops, "how many operations")->check(CLI::NonNegativeNumber);
    add_duration(command, "--deadline", each.deadline, "a request that takes longer is lost (60s)");
    command.add_option("--seed", options.seed, "of all choices (default: another each time)");
    command.add_option("--scratch", each.scratch, "folder of files that serve as memory (/tmp)");
    command.add_flag("--self-test", options.self_test,
                     "plant each corruption in a file of the scratch folder, and find it");
    add_common(command, options.common);
}

/// Ends the others when one path is done for.
void run_one(const stress::settings& each, stress_line& line, std::size_t i, stress::outcome& one)
{
    one = stress::run(each, [&](const stress::state& now) { line.update(i, now); });
    if (!one.problems.empty()) stop_requested = true;
}

/// All paths at once, each in a thread of its own; none is changed before all are open.
std::vector<stress::outcome> run_all(const stress_options& options)
{
    const double most =
        options.each.runtime ? std::chrono::duration<double>(*options.each.runtime).count() : 0;
    stress_line line(options.common, most, options.each.ops.value_or(0) * options.paths.size());
    std::vector<stress::outcome> outcomes(options.paths.size());
    std::vector<std::exception_ptr> failures(options.paths.size());
    std::barrier all_open(static_cast<std::ptrdiff_t>(options.paths.size()));
    std::atomic<bool> refused{false};
    const auto fail = [&](std::size_t i, bool asked) {
        failures[i] = std::current_exception();
        refused = stop_requested = true;
        if (!asked) all_open.arrive_and_drop();
    };
    const auto work = [&](std::size_t i) {
        auto each = options.each;
        bool asked = false;
        each.path = options.paths[i];
        each.create = each.write && each.size && may_create(each.path);
        each.ready = [&] {
            asked = true;
            all_open.arrive_and_wait();
            return !refused;
        };
        try {
            run_one(each, line, i, outcomes[i]);
        } catch (...) {
            fail(i, asked);
        }
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < options.paths.size(); i++) try {
            threads.push_back(stress::start_thread([&work, i] { work(i); }));
        } catch (...) {
            fail(i, false);
        }
    threads.clear();
    for (const auto& one : failures)
        if (one) std::rethrow_exception(one);
    return outcomes;
}

/// One file by two names would be taken for two, each of which writes over the other.
void refuse_twice(const std::vector<std::string>& paths)
{
    std::vector<std::pair<file_identity, std::string>> seen;
    for (const auto& path : paths) {
        struct stat status {};
        // What is not there is told by who opens it, or made.
        if (::stat(path.c_str(), &status) != 0) continue;
        const auto mine = identity_of(status);
        const auto same = std::find_if(seen.begin(), seen.end(),
                                       [&](const auto& other) { return other.first == mine; });
        if (same != seen.end())
            throw usage_error(fmt::format("{} and {} are one", same->second, path));
        seen.emplace_back(mine, path);
    }
}

void check(const stress_options& options)
{
    if (options.paths.empty()) throw usage_error("stress: a PATH is missing");
    if (options.each.runtime && options.each.runtime->count() == 0)
        throw usage_error("--runtime 0 runs nothing");
    if (options.each.direct && options.each.mixed)
        throw usage_error("--direct and --mixed exclude each other");
    auto sorted = options.paths;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
        throw usage_error("a path is given twice");
    refuse_twice(options.paths);
    if (!options.each.write && std::any_of(options.each.acts.begin(), options.each.acts.end(),
                                           [](act what) { return what != act::read; }))
        throw usage_error("without --write only reads are done");
}

int run(stress_options options)
{
    if (options.self_test) {
        options.each.seed = options.seed.value_or(1);
        const auto rows =
            stress::self_test(options.each.scratch, options.each.seed, &stop_requested);
        return report_self_test(rows, stop_requested, options.common);
    }
    check(options);
    auto& each = options.each;
    each.seed = options.seed ? *options.seed : std::random_device{}();
    if (!each.runtime && !each.ops) each.runtime = std::chrono::seconds(default_seconds);
    each.stop = &stop_requested;
    const auto outcomes = run_all(options);
    const int status = report_stress(outcomes, each, options.common);
    // What never ends cannot be taken down.
    if (std::any_of(outcomes.begin(), outcomes.end(),
                    [](const stress::outcome& one) { return one.lost; })) {
        std::cout.flush();
        static_cast<void>(std::fflush(nullptr));
        ::_exit(status);
    }
    return status;
}

}  // namespace

void add_stress(CLI::App& app, int& status)
{
    auto options = std::make_shared<stress_options>();
    auto* command = app.add_subcommand("stress", "requests of every kind, each compared");
    add_options(*command, *options);
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace scullpin::cli
