// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "memory_group.hpp"
#include "victim.hpp"
#include "worker.hpp"

namespace scullpin::stress {

/// What happens around the workers' requests, in a thread of its own, an event every few
/// milliseconds: forks whose children write to the same memory, buffers unmapped and processes
/// killed with requests in flight, memory paged out or scarce, signals.
class hostility {
public:
    /// @param workers live longer
    /// @param threads of the workers, which get the signals
    hostility(target& on, const settings& wanted,
              const std::vector<std::unique_ptr<worker>>& workers, std::vector<pthread_t> threads);

    /// Until the target has ended.
    void run();

    /// Events by name, of those that did something.
    [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const noexcept
    {
        return counts_;
    }

private:
    // Each says whether it did something.
    bool once(event what);
    bool fork_over_memory();
    bool unmap_in_flight();
    bool kill_in_flight();
    bool page_out();
    bool signal_workers();
    bool starve();

    void choose_events();
    [[nodiscard]] std::string obstacle_to(event what);
    void leave_out(event what, const std::string& reason);
    bool live_and_die(event what, victim child, std::chrono::microseconds longest);
    bool kill_after(event what, victim child, std::chrono::microseconds life);
    [[nodiscard]] bool memory_is_short() const;
    void wait_for_release(const device& ours);

    target& on_;
    const settings& wanted_;
    const std::vector<std::unique_ptr<worker>>& workers_;
    std::vector<pthread_t> threads_;
    std::mt19937_64 random_;
    std::vector<event> events_;          ///< that can happen here, but for cancel: the workers' own
    std::optional<memory_group> group_;  ///< for memcg
    std::uint64_t shortages_ = 0;        ///< in it, before its latest child
    std::map<std::string, std::uint64_t> counts_;
    std::size_t children_ = 0;               ///< until now: each takes the next way
    std::map<event, std::string> refusals_;  ///< why the last child of a kind ended by itself
};

/// Blocks that killed children have written to: each holds one whole block of this run, or the
/// target is told. Nothing is in flight.
void verify_wild(target& on);

}  // namespace scullpin::stress
