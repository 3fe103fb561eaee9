// SPDX-License-Identifier: MIT
#include "overlap/report.hpp"

namespace scullpin::overlap {

namespace {

using json = nlohmann::ordered_json;

json row_to_json(const row& one)
{
    const auto overlap = overlap_of(one.measured);
    return {{"way", to_string(one.how)},
            {"io_ns", one.measured.io.count()},
            {"computation_ns", one.measured.computation.count()},
            {"both_ns", one.measured.both.count()},
            {"ideal_ns", ideal_of(one.measured).count()},
            {"overlap_percent", overlap ? json(*overlap * 100) : json(nullptr)},
            {"cached_before_bytes", one.cached_before ? json(*one.cached_before) : json(nullptr)}};
}

}  // namespace

nlohmann::ordered_json to_json(const result& all)
{
    json document{{"schema", "scullpin-overlap/1"},
                  {"path", all.what.path},
                  {"kind", to_string(all.kind)},
                  {"rw", "read"},
                  {"block_bytes", all.what.block_bytes},
                  {"blocks", all.blocks},
                  {"backend", all.backend ? json(to_string(*all.backend)) : json(nullptr)},
                  {"iodepth", all.what.iodepth},
                  {"rounds", all.what.rounds},
                  {"computation_ns_per_block", all.computation.count()},
                  {"ideal_overlap_percent", 100},
                  {"rows", json::array()},
                  {"unavailable", json::object()},
                  {"aborted", all.aborted}};
    for (const auto& one : all.rows) document["rows"].push_back(row_to_json(one));
    for (const auto& [how, why] : all.unavailable) document["unavailable"][to_string(how)] = why;
    return document;
}

}  // namespace scullpin::overlap
