// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "scullpin/size.hpp"

namespace scullpin::bufferpool {

namespace {

using nlohmann::ordered_json;

ordered_json own_to_json(const std::optional<pool_counters>& own)
{
    if (!own) return nullptr;
    return {{"hits", own->hits},
            {"misses", own->misses},
            {"evictions", own->evictions},
            {"device_reads", own->device_reads},
            {"device_writes", own->device_writes},
            {"read_ahead_hits", own->read_ahead_hits}};
}

ordered_json traffic_to_json(const way_report& one)
{
    ordered_json moved{{"read_bytes", one.moved.read_bytes},
                       {"scan_read_bytes", one.scan_read_bytes},
                       {"point_read_bytes", one.moved.read_bytes - one.scan_read_bytes},
                       {"written_bytes", one.moved.written_bytes},
                       {"requests", nullptr}};
    if (one.moved.requests) moved["requests"] = *one.moved.requests;
    return moved;
}

ordered_json way_to_json(const run_settings& settings, const way_report& one,
                         const std::string& from)
{
    return {{"way", to_string(one.kind)},
            {"mover", one.mover},
            {"direct", is_direct(one.kind)},
            {"accesses", one.accesses},
            {"checksum", fmt::format("{:016x}", one.checksum)},
            {"hit_ratio", one.hit_ratio(settings.pages.page_bytes)},
            {"hit_ratio_from", one.own ? "pool" : from},
            {"time_s", one.seconds},
            {"pool", own_to_json(one.own)},
            {"device", traffic_to_json(one)},
            {"arena_bytes", one.memory.arena_bytes},
            {"page_cache_bytes", one.memory.page_cache_bytes},
            {"held_twice_bytes", one.memory.twice_bytes}};
}

std::string size_text(std::uint64_t bytes)
{
    return format_size(static_cast<double>(bytes));
}

std::string row(const way_report& one, std::size_t page_bytes)
{
    return fmt::format("{:<16} {:>8.1f} % {:>11} {:>11} {:>11} {:>9} {:>11} {:>9}\n",
                       to_string(one.kind), 100 * one.hit_ratio(page_bytes),
                       size_text(one.moved.read_bytes - one.scan_read_bytes),
                       size_text(one.scan_read_bytes), size_text(one.moved.written_bytes),
                       one.moved.requests ? std::to_string(*one.moved.requests) : "-",
                       size_text(one.memory.twice_bytes), format_duration(one.seconds * 1e9));
}

std::string own_text(const way_report& one)
{
    const auto& own = *one.own;
    return fmt::format(
        "{}: {} hits ({} by read-ahead), {} misses, {} evictions, {} pages read, {} "
        "pages written, by {}\n",
        to_string(one.kind), own.hits, own.read_ahead_hits, own.misses, own.evictions,
        own.device_reads, own.device_writes, one.mover);
}

}  // namespace

std::string to_json(const run_settings& settings, const run_report& report)
{
    const auto& work = settings.work;
    ordered_json document{{"schema", "scullpin-bufferpool/1"},
                          {"path", settings.path},
                          {"page_bytes", settings.pages.page_bytes},
                          {"data_bytes", settings.pages.pages * settings.pages.page_bytes},
                          {"memory_bytes", settings.pages.memory_bytes},
                          {"iodepth", settings.pages.iodepth},
                          {"random_advice", settings.pages.random_advice},
                          {"write", settings.pages.writable},
                          {"operations", settings.operations},
                          {"updates_percent", settings.pages.writable ? work.updates_percent : 0},
                          {"scan_every", work.scan_every},
                          {"scan_pages", work.scan_pages},
                          {"skew", work.skew},
                          {"seed", work.seed},
                          {"device_counters_from", report.traffic_from},
                          {"checksums_agree", report.checksums_agree()},
                          {"ways", ordered_json::array()},
                          {"aborted", report.aborted}};
    for (const auto& one : report.ways)
        document["ways"].push_back(way_to_json(settings, one, report.traffic_from));
    return document.dump(2) + "\n";
}

std::string to_text(const run_settings& settings, const run_report& report)
{
    std::string text = fmt::format(
        "{}: {} point accesses to pages of {} in {}, own cache {}\n{:<16} {:>10} {:>11} {:>11} "
        "{:>11} {:>9} {:>11} {:>9}\n",
        settings.path, settings.operations, size_text(settings.pages.page_bytes),
        size_text(settings.pages.pages * settings.pages.page_bytes),
        size_text(settings.pages.memory_bytes), "way", "hit ratio", "point reads", "scan reads",
        "written", "requests", "held twice", "time");
    for (const auto& one : report.ways) text += row(one, settings.pages.page_bytes);
    for (const auto& one : report.ways)
        if (one.own) text += own_text(one);
    text += fmt::format("bytes and requests by {}; checksums {}\n", report.traffic_from,
                        report.checksums_agree() ? "agree" : "DIFFER");
    return text;
}

}  // namespace scullpin::bufferpool
