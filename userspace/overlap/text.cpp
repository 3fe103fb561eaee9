// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include "overlap/report.hpp"
#include "scullpin/size.hpp"

namespace scullpin::overlap {

namespace {

std::string time_name(std::chrono::nanoseconds time)
{
    return format_duration(static_cast<double>(time.count()));
}

std::string size_of(std::uint64_t bytes)
{
    return format_size(static_cast<double>(bytes));
}

std::string describe_run(const result& all)
{
    const auto& what = all.what;
    auto text = fmt::format("{}: read of {} blocks of {}, {} of computation on each{}\n", what.path,
                            all.blocks, size_of(what.block_bytes), time_name(all.computation),
                            all.aborted ? ", aborted" : "");
    if (all.backend)
        text +=
            fmt::format("asynchronous by {}: {} request{} in flight while a block is computed on\n",
                        to_string(*all.backend), what.iodepth, what.iodepth == 1 ? "" : "s");
    return text +
           fmt::format("each time is the shortest of {}; every pass begins with cold pages\n",
                       what.rounds);
}

std::string describe_row(const row& one)
{
    const auto overlap = overlap_of(one.measured);
    return fmt::format("{:<12} {:>10} {:>12} {:>10} {:>10} {:>9}\n", to_string(one.how),
                       time_name(one.measured.io), time_name(one.measured.computation),
                       time_name(one.measured.both), time_name(ideal_of(one.measured)),
                       overlap ? fmt::format("{:.0f} %", *overlap * 100) : std::string("-"));
}

}  // namespace

std::string to_text(const result& all)
{
    auto text = describe_run(all);
    if (!all.rows.empty())
        text += fmt::format("{:<12} {:>10} {:>12} {:>10} {:>10} {:>9}\n", "", "I/O", "computation",
                            "both", "ideal", "overlap");
    for (const auto& one : all.rows) text += describe_row(one);
    for (const auto& one : all.rows)
        if (one.cached_before.value_or(0) > 0)
            text += fmt::format("{} began with {} that stayed in the page cache\n",
                                to_string(one.how), size_of(*one.cached_before));
    for (const auto& [how, why] : all.unavailable)
        text += fmt::format("{} is not to be had: {}\n", to_string(how), why);
    return text;
}

}  // namespace scullpin::overlap
