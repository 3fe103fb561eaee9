// SPDX-License-Identifier: MIT
#include "run.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>

#include "layout.hpp"
#include "scullpin/mapping.hpp"

namespace scullpin::bufferpool {

namespace {

device open_node(const run_settings& settings, bool direct)
{
    const auto how = settings.pages.writable ? access::read_write : access::read_only;
    return device::open(settings.path, how, direct);
}

residency look_at_memory(const device& node, const way_settings& pages, const pool* own)
{
    const mapping map(node.fd(), pages.pages * pages.page_bytes, PROT_READ, "mmap " + node.path());
    const auto resident = map.resident();
    const std::size_t unit = mapping::page_bytes();
    residency found;
    if (own != nullptr) found.arena_bytes = own->frames() * pages.page_bytes;
    for (std::size_t i = 0; i < resident.size(); i++) {
        if (!resident[i]) continue;
        found.page_cache_bytes += unit;
        if (own != nullptr && own->holds(i * unit / pages.page_bytes)) found.twice_bytes += unit;
    }
    return found;
}

bool is_stopped(const run_settings& settings)
{
    return settings.stop != nullptr && *settings.stop;
}

/// All accesses. @return false when it was stopped
bool work(const run_settings& settings, way& serves, witness& seen, const traffic_meter& meter,
          way_report& report)
{
    workload asks(settings.work);
    for (std::uint64_t points = 0; points < settings.operations;) {
        if (is_stopped(settings)) return false;
        const auto step = asks.next();
        report.accesses += step.count;
        if (step.what == access_step::kind::scan) {
            const auto before = meter.now();
            serves.scan(step.page, step.count, seen);
            report.scan_read_bytes += (meter.now() - before).read_bytes;
            continue;
        }
        points++;
        if (step.what == access_step::kind::update && settings.pages.writable)
            serves.update(step.page, seen);
        else
            serves.read(step.page, seen);
    }
    return true;
}

way_report serve(const run_settings& settings, way_kind kind, const device& node,
                 const traffic_meter& meter, bool& aborted)
{
    using clock = std::chrono::steady_clock;
    const auto serves = make_way(kind, node, settings.pages);
    witness seen(settings.pages.writable ? settings.pages.pages : 0);
    way_report report;
    report.kind = kind;
    report.mover = serves->mover();
    const auto before = meter.now();
    const auto begun = clock::now();
    aborted = !work(settings, *serves, seen, meter, report);
    std::chrono::duration<double> time = clock::now() - begun;
    report.memory = look_at_memory(node, settings.pages, serves->own_cache());
    const auto resumed = clock::now();
    if (settings.pages.writable) serves->flush();
    time += clock::now() - resumed;
    report.seconds = time.count();
    report.moved = meter.now() - before;
    report.checksum = seen.checksum();
    if (const pool* own = serves->own_cache(); own != nullptr) report.own = own->counters();
    return report;
}

}  // namespace

double way_report::hit_ratio(std::size_t page_bytes) const
{
    if (accesses == 0) return 0;
    const auto bytes = static_cast<double>(page_bytes);
    const double pages = own ? static_cast<double>(own->device_reads)
                             : static_cast<double>(moved.read_bytes) / bytes;
    return 1 - pages / static_cast<double>(accesses);
}

bool run_report::checksums_agree() const
{
    return std::all_of(ways.begin(), ways.end(), [this](const way_report& one) {
        return one.checksum == ways.front().checksum;
    });
}

run_report run(const run_settings& settings)
{
    run_report report;
    for (const auto kind : settings.ways) {
        const auto plain = open_node(settings, false);
        if (settings.pages.writable)
            lay_out(plain, settings.pages.pages, settings.pages.page_bytes);
        forget_cached(plain);
        const auto node = open_node(settings, is_direct(kind));
        const traffic_meter meter(node);
        report.traffic_from = meter.from();
        report.ways.push_back(serve(settings, kind, node, meter, report.aborted));
        if (report.aborted) break;
    }
    return report;
}

}  // namespace scullpin::bufferpool
