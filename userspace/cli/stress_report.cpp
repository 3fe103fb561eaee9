// SPDX-License-Identifier: MIT
#include "stress_report.hpp"

#include <algorithm>
#include <iostream>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "progress.hpp"
#include "scullpin/size.hpp"

namespace scullpin::cli {

namespace {

using nlohmann::ordered_json;
using namespace stress;

constexpr std::ptrdiff_t row_bytes = 16;
constexpr std::ptrdiff_t rows_before = 1;
constexpr std::ptrdiff_t rows_shown = 6;

std::string hex_of(const std::vector<std::byte>& bytes, std::size_t at)
{
    std::string text;
    for (std::size_t i = at; i < std::min(at + row_bytes, bytes.size()); i++)
        text += fmt::format("{:02x}{}", std::to_integer<unsigned>(bytes[i]), i % 4 == 3 ? " " : "");
    return text;
}

/// Lines "offset: bytes" from a little before @p at.
std::vector<std::string> dump(const std::vector<std::byte>& bytes, std::size_t at)
{
    const auto first =
        std::max<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(at) / row_bytes - rows_before, 0);
    std::vector<std::string> lines;
    for (auto row = first; row < first + rows_shown; row++) {
        const auto place = static_cast<std::size_t>(row * row_bytes);
        if (place < bytes.size())
            lines.push_back(fmt::format("{:06x}: {}", place, hex_of(bytes, place)));
    }
    return lines;
}

template <typename Value>
std::string joined(const std::vector<Value>& values)
{
    std::string text;
    for (const auto value : values)
        text += (text.empty() ? "" : ",") + std::string(to_string(value));
    return text;
}

template <typename Value>
std::string set_option(const char* name, const std::vector<Value>& values)
{
    return values.empty() ? "" : fmt::format(" --{} {}", name, joined(values));
}

/// As one word of the shell's, whatever is in it.
std::string shell_word(const std::string& text)
{
    constexpr auto plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%,=";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
    std::string word = "'";
    for (const char one : text) word += one == '\'' ? std::string("'\\''") : std::string(1, one);
    return word + "'";
}

/// The command that makes the same choices again.
std::string replay_of(const outcome& one, const settings& each)
{
    std::string text = "scullpin stress";
    if (each.write) text += " --write";
    if (each.direct) text += " --direct";
    if (each.mixed) text += " --mixed";
    if (each.atomic) text += " --atomic";
    text += fmt::format(" --numjobs {} --iodepth {} --bs {} --offset {} --size {}", each.jobs,
                        each.depth, each.most_bytes, each.offset, one.span_bytes);
    text += set_option("backend", each.backends) + set_option("operations", each.acts) +
            set_option("memory", each.memory) + set_option("hostile", each.hostile);
    text += fmt::format(" --profile {} --scratch {} --seed {}", to_string(each.how),
                        shell_word(each.scratch), one.seed);
    text += fmt::format(" --deadline {}ms", each.deadline.count());
    if (each.runtime) text += fmt::format(" --runtime {}ms", each.runtime->count());
    if (each.ops) text += fmt::format(" --ops {}", *each.ops);
    return text + " " + shell_word(one.path);
}

ordered_json document_of(const problem& what)
{
    const bool has_request = what.during.length > 0 || what.during.step.what == act::sync;
    ordered_json neighbours = ordered_json::array();
    for (const auto& one : what.neighbours) neighbours.push_back(describe(one));
    return {{"kind", what.kind},
            {"text", what.text},
            {"request", has_request ? ordered_json(describe(what.during)) : ordered_json()},
            {"block_offset_bytes", what.offset},
            {"first_wrong_byte", what.what.at},
            {"expected", dump(what.what.expected, what.what.at)},
            {"found", dump(what.what.found, what.what.at)},
            {"neighbours", neighbours}};
}

ordered_json document_of(const outcome& one, const settings& each)
{
    ordered_json left_out = ordered_json::array(), problems = ordered_json::array();
    for (const auto& what : one.left_out)
        left_out.push_back({{"what", what.what}, {"reason", what.reason}});
    for (const auto& what : one.problems) problems.push_back(document_of(what));
    return {{"path", one.path},
            {"offset_bytes", one.offset},
            {"size_bytes", one.span_bytes},
            {"block_bytes", one.block_bytes},
            {"seconds", one.seconds},
            {"submitted", one.did.submitted},
            {"completed", one.did.completed},
            {"cut_short", one.did.cut_short},
            {"read_bytes", one.did.bytes_read},
            {"written_bytes", one.did.bytes_written},
            {"blocks_verified", one.did.blocks_verified},
            {"operations", one.did.by_act},
            {"backends", one.did.by_way},
            {"memory", one.did.by_memory},
            {"hostile", one.hostile},
            {"left_out", left_out},
            {"problems", problems},
            {"replay", replay_of(one, each)}};
}

bool is_mismatch(const ordered_json& problem)
{
    const auto& kind = problem["kind"];
    return kind != "error" && kind != "lost" && kind != "double";
}

/// Mismatches before errors; nothing done is a failure, but of who was stopped before; a signal
/// only when all was well.
int status_of(const ordered_json& document)
{
    int status = ok;
    const bool aborted = document["aborted"].get<bool>();
    for (const auto& path : document["paths"]) {
        for (const auto& problem : path["problems"]) {
            if (is_mismatch(problem)) return mismatch;
            status = failure;
        }
        if ((path["completed"] == 0 && !aborted) || path["completed"] != path["submitted"])
            status = failure;
    }
    return status == ok && aborted ? by_signal + stop_signal : status;
}

void print_counts(const char* title, const ordered_json& counts)
{
    if (counts.empty()) return;
    fmt::print("  {}:", title);
    for (const auto& [name, count] : counts.items())
        fmt::print(" {} {}", name, count.get<std::uint64_t>());
    fmt::print("\n");
}

void print_lines(const char* title, const ordered_json& lines)
{
    if (lines.empty()) return;
    fmt::print("  {}:\n", title);
    for (const auto& line : lines) fmt::print("    {}\n", line.get<std::string>());
}

void print_problem(const ordered_json& problem)
{
    fmt::print("{}: {}\n", problem["kind"].get<std::string>(), problem["text"].get<std::string>());
    if (is_mismatch(problem))
        fmt::print("  block at {}, first wrong byte {}\n",
                   problem["block_offset_bytes"].get<std::uint64_t>(),
                   problem["first_wrong_byte"].get<std::size_t>());
    if (!problem["request"].is_null()) fmt::print("  {}\n", problem["request"].get<std::string>());
    print_lines("expected", problem["expected"]);
    print_lines("found", problem["found"]);
    print_lines("neighbours", problem["neighbours"]);
}

void print_path(const ordered_json& path)
{
    const auto number = [&](const char* key) { return path[key].get<std::uint64_t>(); };
    fmt::print(
        "stress: {}: {} operations in {:.1f} s, {} read, {} written, {} blocks verified, "
        "{} problem(s)\n",
        path["path"].get<std::string>(), number("completed"), path["seconds"].get<double>(),
        format_size(static_cast<double>(number("read_bytes"))),
        format_size(static_cast<double>(number("written_bytes"))), number("blocks_verified"),
        path["problems"].size());
    print_counts("operations", path["operations"]);
    print_counts("back ends", path["backends"]);
    print_counts("memory", path["memory"]);
    print_counts("hostile", path["hostile"]);
    if (number("cut_short") > 0) fmt::print("  cut short by events: {}\n", number("cut_short"));
    for (const auto& what : path["left_out"])
        fmt::print("  left out: {} ({})\n", what["what"].get<std::string>(),
                   what["reason"].get<std::string>());
    for (const auto& problem : path["problems"]) print_problem(problem);
    if (number("completed") == 0) fmt::print("  nothing was done\n");
    fmt::print("  replay: {}\n", path["replay"].get<std::string>());
}

}  // namespace

int report_stress(const std::vector<outcome>& outcomes, const settings& each,
                  const common_options& options)
{
    ordered_json document{{"schema", "scullpin-stress/1"},
                          {"seed", each.seed},
                          {"aborted", false},
                          {"paths", ordered_json::array()}};
    for (const auto& one : outcomes) {
        document["paths"].push_back(document_of(one, each));
        if (one.aborted) document["aborted"] = true;
    }
    if (options.json)
        std::cout << document.dump(2) << '\n';
    else
        for (const auto& path : document["paths"]) print_path(path);
    return status_of(document);
}

int report_self_test(const std::vector<self_test_row>& rows, bool aborted,
                     const common_options& options)
{
    ordered_json document{{"schema", "scullpin-stress/1"},
                          {"aborted", aborted},
                          {"self_test", ordered_json::array()}};
    bool all = aborted || !rows.empty();
    for (const auto& row : rows) {
        const bool named = row.planted == row.found;
        all = all && named;
        document["self_test"].push_back({{"planted", row.planted},
                                         {"found", row.found},
                                         {"named", named},
                                         {"seconds", row.seconds}});
    }
    if (options.json) {
        std::cout << document.dump(2) << '\n';
    } else {
        fmt::print("{:<12} {:<12} {:>7}\n", "planted", "found", "seconds");
        for (const auto& row : document["self_test"])
            fmt::print("{:<12} {:<12} {:>7.2f}{}\n", row["planted"].get<std::string>(),
                       row["found"].get<std::string>(), row["seconds"].get<double>(),
                       row["named"].get<bool>() ? "" : "  NOT FOUND");
    }
    if (!all) return failure;
    return aborted ? by_signal + stop_signal : ok;
}

stress_line::stress_line(const common_options& options, double seconds, std::uint64_t operations)
    : seconds_(seconds), operations_(operations), shown_(shows_progress(options))
{
}

stress_line::~stress_line()
{
    if (drawn_) fmt::print(stderr, "\n");
}

void stress_line::update(std::size_t path, const stress::state& now)
{
    const std::lock_guard hold(lock_);
    states_[path] = now;
    if (!shown_ || (now.seconds < next_ && now.problems == 0)) return;
    next_ = now.seconds + 0.2;
    drawn_ = true;
    std::uint64_t done = 0;
    std::size_t problems = 0;
    for (const auto& [index, one] : states_) {
        done += one.operations;
        problems += one.problems;
    }
    const double rate = static_cast<double>(done) / std::max(now.seconds, 1e-9);
    double left = seconds_ > 0 ? seconds_ - now.seconds : 1e300;
    if (operations_ > 0)
        left = std::min(left, static_cast<double>(operations_ - std::min(done, operations_)) /
                                  std::max(rate, 1e-9));
    fmt::print(stderr, "\r{} operations, {:.0f}/s, {} problem(s), {:.0f} s left  ", done, rate,
               problems, std::max(left, 0.0));
}

}  // namespace scullpin::cli
