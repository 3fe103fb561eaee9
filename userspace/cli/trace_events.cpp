// SPDX-License-Identifier: MIT
#include "trace_events.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>

#include <fmt/core.h>

namespace scullpin::cli {

namespace {

using json = nlohmann::ordered_json;

constexpr double bar_width = 40;

/// The value of "KEY=" in an event; empty when it has none.
std::string value_of(const std::string& detail, const std::string& key)
{
    const auto begin = (" " + detail).find(" " + key + "=");
    if (begin == std::string::npos) return {};
    const auto from = begin + key.size() + 1;
    return detail.substr(from, detail.find(' ', from) - from);
}

json number_of(const std::string& detail, const std::string& key)
{
    const auto text = value_of(detail, key);
    return text.empty() ? json(nullptr) : json(std::stoll(text));
}

const trace_step* step_of(const trace_life& life, const std::string& name)
{
    for (const auto& step : life.steps)
        if (step.name == name) return &step;
    return nullptr;
}

std::string detail_of(const trace_life& life, const std::string& name)
{
    const auto* step = step_of(life, name);
    return step == nullptr ? std::string{} : step->detail;
}

/// "read" or "write"; empty when the trace began in the middle of the request.
std::string direction_of(const trace_life& life)
{
    const auto detail = detail_of(life, "submit");
    return detail.substr(0, detail.find(' '));
}

json to_json(const trace_life& life)
{
    const auto submit = detail_of(life, "submit");
    const auto direction = direction_of(life);
    json document{{"device", fmt::format("scullpin{}", life.device)},
                  {"id", life.id == 0 ? json(nullptr) : json(life.id)},
                  {"task", life.task},
                  {"direction", direction.empty() ? json(nullptr) : json(direction)},
                  {"pos_bytes", number_of(submit, "pos")},
                  {"length_bytes", number_of(submit, "length")},
                  {"result", number_of(detail_of(life, "complete"), "result")},
                  {"refused", json::array()},
                  {"whole", life.is_whole()},
                  {"total_us", std::round(life.total_us())},
                  {"steps", json::array()}};
    double before = life.steps.front().at_us;
    for (const auto& step : life.steps) {
        document["steps"].push_back({{"step", step.name},
                                     {"at_us", std::round(step.at_us)},
                                     {"took_us", std::round(step.at_us - before)},
                                     {"detail", step.detail}});
        before = step.at_us;
        if (step.name == "refuse")
            document["refused"].push_back({{"reason", value_of(step.detail, "reason")},
                                           {"detail", number_of(step.detail, "detail")}});
    }
    return document;
}

std::string headline(const trace_life& life)
{
    const auto submit = detail_of(life, "submit");
    auto line = fmt::format("scullpin{} ", life.device);
    line += life.id == 0 ? "refused before it had a number" : fmt::format("request {}", life.id);
    if (!submit.empty())
        line += fmt::format(": {} of {} at {}", direction_of(life), value_of(submit, "length"),
                            value_of(submit, "pos"));
    line += ", by " + life.task;
    if (const auto result = value_of(detail_of(life, "complete"), "result"); !result.empty())
        line += fmt::format(": {} after {:.0f} us", result, life.total_us());
    if (life.id != 0 && !life.is_whole()) line += " (not all of it was seen)";
    return line + "\n";
}

/// The bar of a step reaches from the step before to it.
std::string row(const trace_life& life, const trace_step& step, double before)
{
    const double begin = life.steps.front().at_us, total = std::max(life.total_us(), 1.0);
    const auto column = [&](double at) {
        return static_cast<std::size_t>(std::round((at - begin) / total * bar_width));
    };
    std::string bar(static_cast<std::size_t>(bar_width) + 1, ' ');
    for (auto at = column(before); at < column(step.at_us); at++) bar[at] = '=';
    bar[column(step.at_us)] = '|';
    return fmt::format("  {:<9}{:>10.0f} us {:>+10.0f}  {}  {}\n", step.name, step.at_us - begin,
                       step.at_us - before, bar, step.detail);
}

}  // namespace

bool trace_life::is_whole() const
{
    return steps.front().name == "submit" && steps.back().name == "complete";
}

trace_report parse_trace(std::istream& text, std::optional<std::uint64_t> device)
{
    static const std::regex event(
        R"(^ *(.+-[0-9]+) .* ([0-9]+\.[0-9]+): scullpin_([a-z]+): dev=([0-9]+) id=([0-9]+) (.*)$)");
    static const std::regex buffer("^# entries-in-buffer/entries-written: ([0-9]+)/([0-9]+)");
    trace_report report;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> open;
    std::optional<double> first;
    std::smatch match;
    for (std::string line; std::getline(text, line);) {
        if (std::regex_search(line, match, buffer))
            report.lost_events = std::stoull(match[2]) - std::stoull(match[1]);
        if (!std::regex_match(line, match, event)) continue;
        const std::uint64_t minor = std::stoull(match[4]), id = std::stoull(match[5]);
        if (device && minor != *device) continue;
        const double at = std::stod(match[2]) * 1e6;
        if (!first) first = at;
        const trace_step step{match[3], at - *first, match[6]};
        if (id == 0 && step.name != "refuse") continue;
        const std::pair key{minor, id};
        if (id == 0 || !open.contains(key)) {
            if (id != 0) open[key] = report.requests.size();
            report.requests.push_back({minor, id, match[1], {step}});
        } else {
            report.requests[open[key]].steps.push_back(step);
        }
    }
    return report;
}

nlohmann::ordered_json to_json(const trace_report& report)
{
    json document{{"schema", "scullpin-trace/1"},
                  {"lost_events", report.lost_events},
                  {"command_exit", nullptr},
                  {"aborted", report.aborted},
                  {"requests", json::array()}};
    if (report.command_exit) document["command_exit"] = *report.command_exit;
    for (const auto& life : report.requests) document["requests"].push_back(to_json(life));
    return document;
}

std::string to_text(const trace_report& report, std::size_t limit)
{
    std::string text;
    const auto shown = std::min(limit, report.requests.size());
    for (std::size_t i = 0; i < shown; i++) {
        const auto& life = report.requests[i];
        text += headline(life);
        double before = life.steps.front().at_us;
        for (const auto& step : life.steps) {
            text += row(life, step, before);
            before = step.at_us;
        }
    }
    if (shown < report.requests.size())
        text += fmt::format("and {} more\n", report.requests.size() - shown);
    return text +
           fmt::format("{} requests, {} events lost\n", report.requests.size(), report.lost_events);
}

}  // namespace scullpin::cli
