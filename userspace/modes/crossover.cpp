// SPDX-License-Identifier: MIT
#include "modes/report.hpp"

namespace scullpin::modes {

namespace {

using better = bool (*)(const figure& one, const figure& other);

/// The least size from which on one way is no worse than the other.
std::optional<std::uint64_t> since(const survey& all, way one, way other, better is_better)
{
    std::optional<std::uint64_t> first;
    for (const auto& at : all.rows) {
        const auto& ours = at.ways[index_of(one)];
        const auto& theirs = at.ways[index_of(other)];
        if (!ours || !theirs || is_better(*theirs, *ours))
            first.reset();
        else if (!first)
            first = at.size;
    }
    return first;
}

bool is_sooner(const figure& one, const figure& other)
{
    return one.latency_ns < other.latency_ns;
}

bool is_faster(const figure& one, const figure& other)
{
    return one.bytes_per_s > other.bytes_per_s;
}

bool has(const survey& all, way how)
{
    for (const auto& at : all.rows)
        if (at.ways[index_of(how)]) return true;
    return false;
}

}  // namespace

std::vector<crossover> crossovers(const survey& all)
{
    std::vector<crossover> found;
    if (!has(all, way::cached)) return found;
    for (const auto how : all_ways())
        if (how != way::cached && has(all, how))
            found.push_back({how, since(all, how, way::cached, is_sooner),
                             since(all, how, way::cached, is_faster)});
    return found;
}

}  // namespace scullpin::modes
