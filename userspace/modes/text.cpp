// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include "modes/report.hpp"
#include "scullpin/size.hpp"

namespace scullpin::modes {

namespace {

constexpr int column = 14;

/// "64 KiB": sizes of requests are whole.
std::string size_name(std::uint64_t bytes)
{
    auto text = format_size(static_cast<double>(bytes));
    if (const auto at = text.find(".0 "); at != std::string::npos) text.erase(at, 2);
    return text;
}

/// What a table shows of a figure, and which of two is the better one.
struct measure_view {
    const char* title;
    std::string (*show)(const figure& measured);
    bool (*is_better)(const figure& one, const figure& other);
};

constexpr measure_view latency_view{
    "latency of one request, the shortest marked",
    [](const figure& measured) { return format_duration(measured.latency_ns); },
    [](const figure& one, const figure& other) { return one.latency_ns < other.latency_ns; }};

constexpr measure_view throughput_view{
    "throughput, the greatest marked",
    [](const figure& measured) { return format_size(measured.bytes_per_s) + "/s"; },
    [](const figure& one, const figure& other) { return one.bytes_per_s > other.bytes_per_s; }};

const figure* best_of(const row& at, const measure_view& view)
{
    const figure* best = nullptr;
    for (const auto& measured : at.ways)
        if (measured && (best == nullptr || view.is_better(*measured, *best))) best = &*measured;
    return best;
}

std::string table(const survey& all, const measure_view& view)
{
    auto text = fmt::format("{}\n{:>8}", view.title, "");
    for (const auto how : all_ways()) text += fmt::format("{:>{}} ", to_string(how), column);
    text += "\n";
    for (const auto& at : all.rows) {
        const auto* best = best_of(at, view);
        text += fmt::format("{:>8}", size_name(at.size));
        for (const auto& measured : at.ways)
            text += fmt::format("{:>{}}{}", measured ? view.show(*measured) : "-", column,
                                measured && &*measured == best ? '*' : ' ');
        text += "\n";
    }
    return text;
}

std::string from(const std::optional<std::uint64_t>& bytes)
{
    return bytes ? "from " + size_name(*bytes) : std::string("never");
}

}  // namespace

std::string to_text(const survey& all)
{
    auto text =
        fmt::format("{}: {} of {}, asynchronous by {} at depth {}{}\n", all.what.path,
                    all.what.write ? "write" : "read", size_name(all.what.span),
                    to_string(all.what.backend), all.what.iodepth, all.aborted ? ", aborted" : "");
    text += table(all, latency_view) + table(all, throughput_view);
    for (const auto& one : crossovers(all))
        text += fmt::format("{} is no worse than cached: by latency {}, by throughput {}\n",
                            to_string(one.how), from(one.latency), from(one.throughput));
    for (const auto& [how, why] : all.unavailable)
        text += fmt::format("{} is not to be had: {}\n", to_string(how), why);
    return text;
}

}  // namespace scullpin::modes
