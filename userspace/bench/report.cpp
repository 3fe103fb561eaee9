// SPDX-License-Identifier: MIT
#include "bench/report.hpp"

#include <cstring>

namespace scullpin::bench {

namespace {

std::optional<latency> summarize(const histogram& values)
{
    if (values.count() == 0) return std::nullopt;
    latency made{values.count(), values.min(), values.mean(), {}, values.max()};
    for (std::size_t i = 0; i < percentiles.size(); i++)
        made.at[i] = values.percentile(percentiles[i].percent);
    return made;
}

side_report summarize(const char* name, const tally& counts, double seconds)
{
    side_report side{name, counts.operations, counts.bytes, 0, 0, {}, {}, {}, {}, {}};
    if (seconds > 0) {
        side.iops_per_s = static_cast<double>(counts.operations) / seconds;
        side.bandwidth_bytes_per_s = static_cast<double>(counts.bytes) / seconds;
    }
    side.slat = summarize(counts.slat);
    side.clat = summarize(counts.clat);
    side.lat = summarize(counts.lat);
    for (const auto& [code, count] : counts.errors) side.errors[errno_name(code)] = count;
    if (counts.short_results > 0) side.errors["short"] = counts.short_results;
    return side;
}

path_report summarize(const job& what, const run_result& result)
{
    const double seconds = std::chrono::duration<double>(result.elapsed).count();
    return {result.path,
            result.kind,
            result.where.blocks * what.block_bytes,
            seconds,
            result.aborted,
            {summarize("read", result.sides[index_of(direction::read)], seconds),
             summarize("write", result.sides[index_of(direction::write)], seconds)}};
}

std::optional<double> ratio(double value, double first)
{
    return value > 0 && first > 0 ? std::optional(value / first) : std::nullopt;
}

std::optional<double> ratio_at(const side_report& side, const side_report& first, std::size_t which)
{
    if (!side.clat || !first.clat) return std::nullopt;
    return ratio(static_cast<double>(side.clat->at[which]),
                 static_cast<double>(first.clat->at[which]));
}

void compare(path_report& path, const path_report& first)
{
    constexpr std::size_t p50 = 0, p99 = 2;
    static_assert(percentiles[p50].percent == 50 && percentiles[p99].percent == 99);
    for (std::size_t i = 0; i < path.sides.size(); i++) {
        auto& side = path.sides[i];
        const auto& base = first.sides[i];
        side.to_first = {ratio(side.iops_per_s, base.iops_per_s), ratio_at(side, base, p50),
                         ratio_at(side, base, p99)};
    }
}

}  // namespace

std::uint64_t path_report::operations() const
{
    return sides[0].operations + sides[1].operations;
}

std::uint64_t path_report::errors() const
{
    std::uint64_t sum = 0;
    for (const auto& side : sides)
        for (const auto& [name, count] : side.errors) sum += count;
    return sum;
}

report make_report(const job& what, std::optional<double> overhead,
                   const std::vector<run_result>& results)
{
    report all{what, overhead, {}, false};
    for (const auto& result : results) {
        all.paths.push_back(summarize(what, result));
        compare(all.paths.back(), all.paths.front());
        all.aborted = all.aborted || result.aborted;
    }
    return all;
}

std::string errno_name(int code)
{
    const char* name = ::strerrorname_np(code);
    return name != nullptr ? name : std::to_string(code);
}

}  // namespace scullpin::bench
