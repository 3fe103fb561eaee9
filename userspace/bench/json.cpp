// SPDX-License-Identifier: MIT
// A report as the document scullpin-bench/1. Keys are only ever added.
#include "bench/report.hpp"

namespace scullpin::bench {

namespace {

using json = nlohmann::ordered_json;

template <typename Value>
json or_null(const std::optional<Value>& value)
{
    return value ? json(*value) : json(nullptr);
}

json to_json(const std::optional<latency>& measured)
{
    if (!measured) return nullptr;
    json document{{"count", measured->count}, {"min", measured->min}, {"mean", measured->mean}};
    for (std::size_t i = 0; i < percentiles.size(); i++)
        document[percentiles[i].key] = measured->at[i];
    document["max"] = measured->max;
    return document;
}

json to_json(const side_report& side)
{
    return {{"operations", side.operations},
            {"bytes", side.bytes},
            {"iops_per_s", side.iops_per_s},
            {"bandwidth_bytes_per_s", side.bandwidth_bytes_per_s},
            {"slat_ns", to_json(side.slat)},
            {"clat_ns", to_json(side.clat)},
            {"lat_ns", to_json(side.lat)},
            {"errors", json(side.errors)},
            {"ratio_to_first",
             {{"iops", or_null(side.to_first.iops)},
              {"clat_p50", or_null(side.to_first.clat_p50)},
              {"clat_p99", or_null(side.to_first.clat_p99)}}}};
}

json to_json(const path_report& path)
{
    json document{{"path", path.path},
                  {"kind", to_string(path.kind)},
                  {"span_bytes", path.span_bytes},
                  {"seconds", path.seconds},
                  {"aborted", path.aborted}};
    for (const auto& side : path.sides) document[side.name] = to_json(side);
    return document;
}

json to_json(const job& what)
{
    const auto limit = time_limit(what);
    return {{"rw", to_string(what.rw)},
            {"rwmixread_percent", read_percent(what)},
            {"backend", to_string(what.backend)},
            {"block_bytes", what.block_bytes},
            {"iodepth", what.iodepth},
            {"iodepth_effective", is_immediate(what.backend) ? 1 : what.iodepth},
            {"numjobs", what.numjobs},
            {"offset_bytes", what.offset},
            {"size_bytes", or_null(what.size)},
            {"runtime_s", limit ? json(std::chrono::duration<double>(*limit).count()) : nullptr},
            {"direct", what.direct},
            {"fixedbufs", what.fixedbufs},
            {"seed", what.seed}};
}

}  // namespace

json to_json(const report& all)
{
    json document{{"schema", "scullpin-bench/1"},
                  {"job", to_json(all.what)},
                  {"overhead_ns_per_operation", or_null(all.overhead_ns)},
                  {"paths", json::array()},
                  {"aborted", all.aborted}};
    for (const auto& path : all.paths) document["paths"].push_back(to_json(path));
    return document;
}

}  // namespace scullpin::bench
