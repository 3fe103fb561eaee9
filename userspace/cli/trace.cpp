// SPDX-License-Identifier: MIT
// trace: the life of each request, while a command runs or until told to stop.
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/core.h>

#include "options.hpp"
#include "progress.hpp"
#include "trace_events.hpp"
#include "tracefs.hpp"

namespace scullpin::cli {

namespace {

using clock = std::chrono::steady_clock;

struct trace_options {
    common_options common;
    std::string node;
    std::vector<std::string> command;
    std::optional<std::chrono::milliseconds> runtime;
    std::string input;
    std::size_t limit = 20;
};

/// NODE may be left out; then the first word is the command's.
void sort_words(trace_options& options)
{
    if (options.node.empty() || options.node.starts_with("/dev/")) return;
    options.command.insert(options.command.begin(), options.node);
    options.node.clear();
}

std::optional<std::uint64_t> minor_of(const std::string& node)
{
    if (node.empty()) return std::nullopt;
    struct stat status {};
    if (::stat(node.c_str(), &status) != 0) throw open_error(errno, std::generic_category(), node);
    if (!S_ISCHR(status.st_mode)) throw usage_error(node + " is no character device");
    return minor(status.st_rdev);
}

/// Its stdout becomes our stderr: ours is the answer.
pid_t start(const std::vector<std::string>& command)
{
    std::vector<char*> words;
    words.reserve(command.size() + 1);
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const pid_t child = ::fork();
    if (child < 0) throw_errno("fork");
    if (child > 0) return child;
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    ::execvp(words.front(), words.data());
    std::perror(words.front());
    ::_exit(127);
}

/// @return whether it has ended; sets @p report's command_exit then
bool has_ended(pid_t child, trace_report& report)
{
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) != child) return false;
    report.command_exit = WIFEXITED(status) ? WEXITSTATUS(status) : by_signal + WTERMSIG(status);
    return true;
}

/// Until the command has ended, the time is over, or a signal came; a command does not outlive it.
void wait(const trace_options& options, trace_report& report)
{
    const bool shown = shows_progress(options.common);
    const auto begun = clock::now();
    const pid_t child = options.command.empty() ? 0 : start(options.command);
    bool told = false;
    while (child == 0 || !has_ended(child, report)) {
        const auto passed = clock::now() - begun;
        const bool over = options.runtime && passed >= *options.runtime;
        if ((over || stop_requested) && child == 0) break;
        if ((over || stop_requested) && !told) told = ::kill(child, SIGTERM) == 0;
        if (shown)
            fmt::print(stderr, "\rtracing, {:.0f} s  ",
                       std::chrono::duration<double>(passed).count());
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (shown) fmt::print(stderr, "\n");
    report.aborted = stop_requested;
}

trace_report record(const trace_options& options, std::optional<std::uint64_t> device)
{
    trace_instance instance;
    trace_report waited;
    wait(options, waited);
    auto text = instance.stop();
    auto report = parse_trace(text, device);
    report.command_exit = waited.command_exit;
    report.aborted = waited.aborted;
    return report;
}

trace_report read_file(const std::string& path, std::optional<std::uint64_t> device)
{
    std::ifstream text(path);
    if (!text) throw open_error(errno, std::generic_category(), path);
    return parse_trace(text, device);
}

int run(trace_options options)
{
    sort_words(options);
    const auto device = minor_of(options.node);
    const auto report =
        options.input.empty() ? record(options, device) : read_file(options.input, device);
    if (options.common.json)
        std::cout << to_json(report).dump(2) << '\n';
    else
        fmt::print("{}", to_text(report, options.limit));
    if (report.aborted) return by_signal + stop_signal;
    return report.command_exit.value_or(0) == 0 ? ok : failure;
}

}  // namespace

void add_trace(CLI::App& app, int& status)
{
    auto options = std::make_shared<trace_options>();
    auto* command = app.add_subcommand("trace", "the life of each request on scullpin devices");
    command->add_option("NODE", options->node, "below /dev; only its requests (default: all)");
    command->add_option("COMMAND", options->command,
                        "what to run meanwhile, behind -- (default: wait for SIGINT)");
    add_duration(*command, "--runtime", options->runtime, "the longest to trace");
    command->add_option("--input", options->input,
                        "a trace that was saved before, the text of tracefs, instead of a new one");
    command->add_option("--limit", options->limit, "requests that the text shows")
        ->capture_default_str();
    add_common(*command, options->common);
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace scullpin::cli
