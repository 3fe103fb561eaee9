// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

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

    ~hostility();
    hostility(const hostility&) = delete;
    hostility& operator=(const hostility&) = delete;

    /// Until the target has ended.
    void run();

    [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const noexcept
    {
        return counts_;
    }

private:
    void once(event what);
    void fork_over_memory();
    void unmap_in_flight();
    void kill_in_flight();
    void page_out();
    void signal_workers();
    void starve();
    void make_group();

    target& on_;
    const settings& wanted_;
    const std::vector<std::unique_ptr<worker>>& workers_;
    std::vector<pthread_t> threads_;
    std::mt19937_64 random_;
    std::string group_;  ///< of the cgroup for memcg; empty: none
    std::map<std::string, std::uint64_t> counts_;
};

/// Blocks that killed children have written to: each holds one whole block of this run, or the
/// target is told. Nothing is in flight.
void verify_wild(target& on);

}  // namespace scullpin::stress
