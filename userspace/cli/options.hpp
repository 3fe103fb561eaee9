// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "scullpin/backend.hpp"
#include "scullpin/error.hpp"
#include "scullpin/size.hpp"
#include "scullpin/transfer.hpp"

namespace scullpin::cli {

/// Exit codes of every command.
enum exit_code {
    ok = 0,
    failure = 1,
    usage = 2,
    mismatch = 3,
    skipped = 4,
    no_device = 6,
    by_signal = 128,
};

/// There is no such device, or it is not ours to use: told apart from a failure on the way.
[[nodiscard]] exit_code status_of(const open_error& error);

/// Options that mean the same in every command.
struct common_options {
    bool json = false;
    bool quiet = false;
    std::string progress = "auto";
    std::string color = "auto";
};

/// Options of commands that move bytes.
struct io_options {
    backend_kind backend = backend_kind::sync;
    unsigned iodepth = 1;
    std::uint64_t block_size = 128 * 1024;
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> size;  ///< none: as much as there is
    bool direct = false;
};

/// Where a transfer of @p length bytes from @p offset ends. @throws usage_error when no file can be
/// that long
std::uint64_t end_of(std::uint64_t offset, std::uint64_t length);

/// An option whose text @p take understands, or refuses by usage_error.
CLI::Option* add_parsed(CLI::App& command, const std::string& name, const char* type,
                        const std::function<void(const std::string&)>& take,
                        const std::string& help);

/// One of the names, and nothing else: neither a number nor another spelling. --help shows them.
template <typename Value>
CLI::Validator one_of(const std::map<std::string, Value>& names)
{
    std::string all;
    for (const auto& [name, value] : names) all += (all.empty() ? "" : ",") + name;
    return CLI::Validator(
        [names, all](std::string& text) {
            const auto found = names.find(text);
            if (found == names.end()) return text + " is none of " + all;
            text = std::to_string(static_cast<int>(found->second));
            return std::string();
        },
        "{" + all + "}");
}

/// An option that takes bytes: 4096, 128k, 1G; not fewer than @p least.
template <typename Value>
CLI::Option* add_size(CLI::App& command, const std::string& name, Value& value,
                      const std::string& help, std::uint64_t least = 0)
{
    return add_parsed(
        command, name, "SIZE",
        [&value, least](const std::string& text) {
            const auto bytes = parse_size(text);
            if (bytes < least) throw usage_error(text + " is too small");
            value = bytes;
        },
        help);
}

/// An option that takes a time: 10, 1.5s, 20m.
template <typename Value>
CLI::Option* add_duration(CLI::App& command, const std::string& name, Value& value,
                          const std::string& help)
{
    return add_parsed(
        command, name, "TIME", [&value](const std::string& text) { value = parse_duration(text); },
        help);
}

void add_common(CLI::App& command, common_options& options);
void add_backend(CLI::App& command, backend_kind& kind);
void add_iodepth(CLI::App& command, unsigned& depth);
void add_io(CLI::App& command, io_options& options);

[[nodiscard]] transfer_options to_transfer(const io_options& options);

/// Set by SIGINT and SIGTERM; the number of the signal, 0 before.
extern std::atomic<bool> stop_requested;
extern std::atomic<int> stop_signal;
void install_signal_handlers();

/// Sleeps until then or until a signal, in pieces: one between the question and the sleep would not
/// wake it.
void sleep_until_or_stop(std::chrono::steady_clock::time_point when);

/// Each adds its command to @p app; the callback sets @p status to the exit code.
void add_list(CLI::App& app, int& status);
void add_create(CLI::App& app, int& status);
void add_set(CLI::App& app, int& status);
void add_remove(CLI::App& app, int& status);
void add_info(CLI::App& app, int& status);
void add_read(CLI::App& app, int& status);
void add_write(CLI::App& app, int& status);
void add_copy(CLI::App& app, int& status);
void add_verify(CLI::App& app, int& status);
void add_stress(CLI::App& app, int& status);
void add_bench(CLI::App& app, int& status);
void add_ping(CLI::App& app, int& status);
void add_modes(CLI::App& app, int& status);
void add_overlap(CLI::App& app, int& status);
void add_stat(CLI::App& app, int& status);
void add_trace(CLI::App& app, int& status);
void add_doctor(CLI::App& app, int& status);
void add_completion(CLI::App& app, int& status);
void add_manual(CLI::App& app, int& status);

}  // namespace scullpin::cli
