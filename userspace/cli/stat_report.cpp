// SPDX-License-Identifier: MIT
#include "stat_report.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "scullpin/size.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace {

using json = nlohmann::ordered_json;

constexpr std::array directions{"read", "write"};
constexpr std::array<std::pair<const char*, double>, 4> shown{
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"max", 100}}};

std::map<std::string, std::uint64_t> gained(const std::map<std::string, std::uint64_t>& now,
                                            const std::map<std::string, std::uint64_t>& before)
{
    auto difference = now;
    for (auto& [key, value] : difference)
        if (const auto old = before.find(key); old != before.end()) value -= old->second;
    return difference;
}

json latency_of(const device_counters& device)
{
    json document;
    for (std::size_t i = 0; i < directions.size(); i++) {
        auto& side = document[directions[i]];
        const auto& histogram = device.latency[i];
        if (histogram.empty()) continue;  // null: nothing was deferred
        side["count"] = count_of(histogram);
        for (const auto& [key, percent] : shown) side[key] = percentile_of(histogram, percent);
    }
    return document;
}

json counters_of(const device_counters& device)
{
    return {{"name", device.name},
            {"path", "/dev/" + device.name},
            {"stats", device.stats},
            {"refused", device.refused},
            {"lat_us", latency_of(device)}};
}

json rates_of(const device_counters& device, double seconds)
{
    const auto rate = [&](const char* name) {
        return static_cast<double>(device.stat(name)) / seconds;
    };
    return {{"iops_per_s", rate("requests_completed")},
            {"read_bytes_per_s", rate("bytes_read")},
            {"written_bytes_per_s", rate("bytes_written")},
            {"refused_per_s", static_cast<double>(device.refusals()) / seconds}};
}

std::string latency_line(const char* direction, const buckets& histogram)
{
    if (histogram.empty()) return {};
    auto line = fmt::format("  latency of {} deferred {}s:", count_of(histogram), direction);
    for (const auto& [key, percent] : shown)
        line += fmt::format(
            " {} <= {}", key,
            format_duration(1e3 * static_cast<double>(percentile_of(histogram, percent))));
    return line + "\n";
}

/// "name value" of those that are not 0, in lines of four.
std::string counter_lines(const std::map<std::string, std::uint64_t>& counters)
{
    std::string text;
    for (const auto& [key, value] : counters)
        if (value != 0) text += fmt::format("    {:<22}{}\n", key, value);
    return text.empty() ? "    none\n" : text;
}

std::string percentile_cell(const device_counters& device, double percent)
{
    auto all = device.latency[0];
    for (const auto& [floor, requests] : device.latency[1]) all[floor] += requests;
    if (all.empty()) return "-";
    return format_duration(1e3 * static_cast<double>(percentile_of(all, percent)));
}

constexpr const char* row_form = "{:<12} {:>9} {:>10} {:>14} {:>14} {:>9} {:>10} {:>10}\n";

}  // namespace

std::uint64_t device_counters::stat(const std::string& which) const
{
    const auto found = stats.find(which);
    return found == stats.end() ? 0 : found->second;
}

std::uint64_t device_counters::refusals() const
{
    std::uint64_t sum = 0;
    for (const auto& [reason, times] : refused) sum += times;
    return sum;
}

device_counters read_counters(const std::string& name)
{
    device_counters device{name,
                           scullpin_counters(name, "stats"),
                           scullpin_counters(name, "refused"),
                           {scullpin_buckets(name, "read"), scullpin_buckets(name, "write")}};
    if (device.stats.empty())
        throw open_error(ENODEV, std::generic_category(), "no scullpin device " + name);
    return device;
}

interval between(const std::vector<device_counters>& now,
                 const std::vector<device_counters>& before, double seconds)
{
    interval passed{seconds, {}};
    for (std::size_t i = 0; i < now.size(); i++) {
        auto& device = passed.gained.emplace_back(now[i]);
        device.stats = gained(now[i].stats, before[i].stats);
        device.stats["in_flight"] = now[i].stat("in_flight");
        device.refused = gained(now[i].refused, before[i].refused);
        for (std::size_t side = 0; side < device.latency.size(); side++)
            device.latency[side] = gained(now[i].latency[side], before[i].latency[side]);
    }
    return passed;
}

nlohmann::ordered_json to_json(const stat_report& report)
{
    json document{{"schema", "scullpin-stat/1"},
                  {"devices", json::array()},
                  {"intervals", json::array()},
                  {"aborted", report.aborted}};
    for (const auto& device : report.devices) document["devices"].push_back(counters_of(device));
    for (const auto& passed : report.intervals) {
        json entry{{"seconds", passed.seconds}, {"devices", json::array()}};
        for (const auto& device : passed.gained) {
            auto counters = counters_of(device);
            counters["rates"] = rates_of(device, passed.seconds);
            entry["devices"].push_back(std::move(counters));
        }
        document["intervals"].push_back(std::move(entry));
    }
    return document;
}

std::string to_text(const std::vector<device_counters>& devices)
{
    std::string text;
    for (const auto& device : devices) {
        text += fmt::format("/dev/{}  {} in flight\n  counters that are not 0:\n", device.name,
                            device.stat("in_flight"));
        text += counter_lines(device.stats);
        text += "  refused or cut:\n" + counter_lines(device.refused);
        for (std::size_t i = 0; i < directions.size(); i++)
            text += latency_line(directions[i], device.latency[i]);
    }
    return text;
}

std::string stat_heading()
{
    return fmt::format(row_form, "device", "in flight", "IOPS", "read/s", "written/s", "refused",
                       "p50 <=", "p99 <=");
}

std::string to_text(const interval& passed)
{
    std::string text;
    for (const auto& device : passed.gained) {
        const auto rates = rates_of(device, passed.seconds);
        text +=
            fmt::format(row_form, device.name, device.stat("in_flight"),
                        fmt::format("{:.0f}", rates["iops_per_s"].get<double>()),
                        format_size(rates["read_bytes_per_s"].get<double>()),
                        format_size(rates["written_bytes_per_s"].get<double>()), device.refusals(),
                        percentile_cell(device, 50), percentile_cell(device, 99));
    }
    return text;
}

}  // namespace scullpin::cli
