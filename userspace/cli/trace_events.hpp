// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace scullpin::cli {

/// One event of a request.
struct trace_step {
    std::string name;    ///< submit, pin, map, issue, release, complete, refuse
    double at_us = 0;    ///< since the first event of the trace
    std::string detail;  ///< what else the event says
};

/// A request from its first event to its last.
struct trace_life {
    std::uint64_t device = 0;  ///< minor
    std::uint64_t id = 0;      ///< 0: refused before it had one
    std::string task;          ///< who brought it, "dd-123"
    std::vector<trace_step> steps;

    [[nodiscard]] bool is_whole() const;
    [[nodiscard]] double total_us() const { return steps.back().at_us - steps.front().at_us; }
};

/// All that `trace` says; text and JSON are both made from it.
struct trace_report {
    std::vector<trace_life> requests;  ///< in order of their first events
    std::uint64_t lost_events = 0;     ///< overwritten before they were read
    std::optional<int> command_exit;
    bool aborted = false;
};

/// From the text of tracefs' `trace`. Events without a number belong to no request and are left
/// out, but refusals: those are requests that got no further. @param device only of this minor
[[nodiscard]] trace_report parse_trace(std::istream& text, std::optional<std::uint64_t> device);

/// The document scullpin-trace/1.
[[nodiscard]] nlohmann::ordered_json to_json(const trace_report& report);

/// The timelines of the first @p limit requests.
[[nodiscard]] std::string to_text(const trace_report& report, std::size_t limit);

}  // namespace scullpin::cli
