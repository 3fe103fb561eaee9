// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "bench/job.hpp"
#include "bench/offsets.hpp"
#include "bench/tally.hpp"
#include "scullpin/aligned_buffer.hpp"

namespace scullpin::bench {

/// One thread's share of a run: its memory, its back end, and what it has measured. Made and asked
/// by one thread, run() by another; only moved() may be called meanwhile.
class worker {
public:
    using clock = std::chrono::steady_clock;
    /// Makes a back end; the memory is what its requests will use.
    using backend_maker = std::function<std::unique_ptr<backend>(std::span<std::byte> memory)>;

    /// @throws std::system_error when there is no memory or no back end
    worker(const job& what, const span& where, std::uint64_t seed, const backend_maker& make);

    /// Keeps as many requests in flight as the job says until its limit, or until @p stop; what is
    /// in flight then is waited for. @throws std::system_error when the back end itself fails
    void run(const std::atomic<bool>* stop);

    [[nodiscard]] std::uint64_t moved() const { return moved_.load(std::memory_order_relaxed); }
    [[nodiscard]] const tallies& results() const { return results_; }
    [[nodiscard]] bool stopped() const { return stopped_; }
    [[nodiscard]] clock::time_point begun() const { return begun_; }
    [[nodiscard]] clock::time_point ended() const { return now_; }

private:
    struct slot {
        operation op;
        clock::time_point begun;
        clock::time_point submitted;
    };

    [[nodiscard]] bool is_done() const;
    void submit_one();
    void collect();
    void note(const completion& end);
    [[nodiscard]] direction next_direction();

    bool immediate_;
    unsigned read_percent_;
    std::optional<std::chrono::nanoseconds> limit_;
    std::uint64_t left_;  ///< requests of the one pass, when there is no limit
    aligned_buffer memory_;
    offsets offsets_;
    random_numbers numbers_;
    std::vector<slot> slots_;
    std::vector<std::uint64_t> free_;  ///< slots with nothing in flight
    std::vector<completion> completions_;
    std::unique_ptr<backend> requests_;  ///< ends before the memory that it moves
    tallies results_;
    clock::time_point begun_, now_;
    bool stopped_ = false;
    std::atomic<std::uint64_t> moved_{0};
};

}  // namespace scullpin::bench
