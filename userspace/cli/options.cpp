// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <limits>
#include <map>
#include <thread>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin::cli {

std::atomic<bool> stop_requested{false};
std::atomic<int> stop_signal{0};

namespace {

void on_signal(int signal)
{
    stop_signal = signal;
    stop_requested = true;
}

std::map<std::string, backend_kind> backend_names()
{
    std::map<std::string, backend_kind> names;
    for (const auto kind : all_backend_kinds()) names[to_string(kind)] = kind;
    return names;
}

}  // namespace

void install_signal_handlers()
{
    struct sigaction action {};
    action.sa_handler = on_signal;
    // The second signal ends the program at once.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

void sleep_until_or_stop(std::chrono::steady_clock::time_point when)
{
    using clock = std::chrono::steady_clock;
    while (!stop_requested && clock::now() < when)
        std::this_thread::sleep_until(std::min(when, clock::now() + std::chrono::milliseconds(20)));
}

exit_code status_of(const open_error& error)
{
    constexpr std::array codes{ENOENT, ENOTDIR, ENODEV, ENXIO, EACCES, EPERM, EROFS, EBUSY};
    const bool none = std::find(codes.begin(), codes.end(), error.code().value()) != codes.end();
    return none ? no_device : failure;
}

std::uint64_t end_of(std::uint64_t offset, std::uint64_t length)
{
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (offset > most || length > most - offset)
        throw usage_error(
            fmt::format("{} bytes from offset {} end beyond what a file can have", length, offset));
    return offset + length;
}

void add_common(CLI::App& command, common_options& options)
{
    command.add_flag("--json", options.json, "the answer as one JSON document");
    command.add_flag("--quiet", options.quiet, "nothing on stderr but errors");
    command.add_option("--progress", options.progress, "on stderr: auto, always or never")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    command.add_option("--color", options.color, "auto, always or never")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
}

CLI::Option* add_parsed(CLI::App& command, const std::string& name, const char* type,
                        const std::function<void(const std::string&)>& take,
                        const std::string& help)
{
    return command
        .add_option_function<std::string>(
            name,
            [take, name](const std::string& text) {
                try {
                    take(text);
                } catch (const usage_error& error) {
                    throw CLI::ValidationError(name, error.what());
                }
            },
            help)
        ->type_name(type);
}

void add_backend(CLI::App& command, backend_kind& kind)
{
    command.add_option("--backend", kind, "sync, vectored, libaio, io_uring or mmap")
        ->transform(one_of(backend_names()))
        ->type_name("NAME")
        ->default_str(to_string(kind));
}

void add_iodepth(CLI::App& command, unsigned& depth)
{
    command.add_option("--iodepth", depth, "requests in flight")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
}

void add_io(CLI::App& command, io_options& options)
{
    add_backend(command, options.backend);
    add_iodepth(command, options.iodepth);
    add_size(command, "--bs", options.block_size, "bytes a request", 1)->default_str("128k");
    add_size(command, "--offset", options.offset, "where to begin on the device");
    add_size(command, "--size", options.size, "bytes to move (default: as many as there are)");
    command.add_flag("--direct", options.direct, "open nodes with O_DIRECT");
}

transfer_options to_transfer(const io_options& options)
{
    transfer_options transfer;
    transfer.backend = options.backend;
    transfer.iodepth = options.iodepth;
    transfer.block_size = options.block_size;
    transfer.stop = &stop_requested;
    return transfer;
}

}  // namespace scullpin::cli
