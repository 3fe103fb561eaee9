// SPDX-License-Identifier: MIT
#include "round.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include "scullpin/error.hpp"

namespace scullpin::measure {

namespace {

/// In /proc/stat, of all CPUs.
struct machine_counters {
    double switches = 0;
    double idle_ns = 0;
};

machine_counters read_counters()
{
    machine_counters counters;
    std::ifstream stat("/proc/stat");
    std::string word;
    double user = 0, nice = 0, system = 0, idle = 0;
    while (stat >> word) {
        if (word == "cpu" && stat >> user >> nice >> system >> idle)
            counters.idle_ns = idle * 1e9 / static_cast<double>(::sysconf(_SC_CLK_TCK));
        else if (word == "ctxt")
            stat >> counters.switches;
        stat.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return counters;
}

double now_ns(clockid_t clock = CLOCK_MONOTONIC)
{
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Begins right after a tick of the kernel's timer, so that as many fall into each round.
double run_ns(loop& what, std::size_t count)
{
    const double tick = now_ns(CLOCK_MONOTONIC_COARSE);
    while (now_ns(CLOCK_MONOTONIC_COARSE) == tick) continue;
    const double begin = now_ns();
    what.run(count);
    return now_ns() - begin;
}

}  // namespace

cost measure(loop& what, std::size_t depth, const effort& wanted)
{
    // Twice, because the first time fills caches of the kernel's.
    what.run(depth);
    const double once = run_ns(what, depth);
    const auto batches = static_cast<std::size_t>(std::ceil(wanted.round_ns / std::max(once, 1.0)));
    const std::size_t count = depth * std::clamp<std::size_t>(batches, 2, 100'000);
    what.run(count / depth / 4 * depth);
    cost result;
    auto& each = result.nanoseconds;
    unsigned done = 0;
    const auto before = read_counters();
    while (done < 4 * wanted.rounds && !result.agree) {
        each.push_back(run_ns(what, count) / static_cast<double>(count));
        if (each.size() > wanted.rounds) each.erase(each.begin());
        done++;
        const auto [least, most] = std::minmax_element(each.begin(), each.end());
        result.agree =
            each.size() == wanted.rounds && *most <= *least * (1 + wanted.tolerance / 100);
    }
    const auto after = read_counters();
    const auto total = static_cast<double>(count) * done;
    result.switches = (after.switches - before.switches) / total;
    result.idle = (after.idle_ns - before.idle_ns) / total;
    return result;
}

}  // namespace scullpin::measure
