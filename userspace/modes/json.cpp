// SPDX-License-Identifier: MIT
#include "modes/report.hpp"

namespace scullpin::modes {

namespace {

using json = nlohmann::ordered_json;

json or_null(const std::optional<std::uint64_t>& bytes)
{
    return bytes ? json(*bytes) : json(nullptr);
}

json row_to_json(const row& at)
{
    json ways;
    for (const auto how : all_ways()) {
        const auto& measured = at.ways[index_of(how)];
        ways[to_string(how)] = measured ? json{{"latency_ns", measured->latency_ns},
                                               {"throughput_bytes_per_s", measured->bytes_per_s}}
                                        : json(nullptr);
    }
    return {{"size_bytes", at.size}, {"iodepth", at.iodepth}, {"ways", ways}};
}

}  // namespace

nlohmann::ordered_json to_json(const survey& all)
{
    json document{{"schema", "scullpin-modes/1"},
                  {"path", all.what.path},
                  {"rw", all.what.write ? "write" : "read"},
                  {"span_bytes", all.what.span},
                  {"backend", to_string(all.what.backend)},
                  {"iodepth", all.what.iodepth},
                  {"rows", json::array()},
                  {"crossovers", json::array()},
                  {"unavailable", json::object()},
                  {"aborted", all.aborted}};
    for (const auto& at : all.rows) document["rows"].push_back(row_to_json(at));
    for (const auto& one : crossovers(all))
        document["crossovers"].push_back({{"way", to_string(one.how)},
                                          {"latency_bytes", or_null(one.latency)},
                                          {"throughput_bytes", or_null(one.throughput)}});
    for (const auto& [how, why] : all.unavailable) document["unavailable"][to_string(how)] = why;
    return document;
}

}  // namespace scullpin::modes
