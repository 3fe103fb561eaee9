// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "block.hpp"
#include "model.hpp"
#include "report.hpp"
#include "settings.hpp"
#include "scullpin/claims.hpp"
#include "scullpin/device.hpp"

namespace scullpin::stress {

/// The path under stress: its open files, what its blocks may hold, and what went wrong. Shared by
/// the workers; thread-safe but for its construction and fill().
class target {
public:
    using clock = std::chrono::steady_clock;

    /// Opens the path and finds out what can be done with it; changes nothing, but makes a file
    /// that is wanted.
    /// @throws open_error; usage_error when the settings do not fit it; unavailable_error when
    /// nothing of them can be done with it here
    explicit target(const settings& wanted);

    /// Makes a file as long as it has to be, and writes every block once, so that each has
    /// something to say. Leaves early when the run is to stop.
    void fill();

    [[nodiscard]] const device& open(bool direct) const { return direct ? *direct_ : *plain_; }
    [[nodiscard]] const abilities& can() const noexcept { return can_; }
    [[nodiscard]] identity home(std::size_t block) const;
    [[nodiscard]] std::uint64_t offset_of(std::size_t block) const;
    [[nodiscard]] double seconds() const;
    /// Of workers; what nobody of them writes or reads has this number as its worker.
    [[nodiscard]] unsigned jobs() const noexcept { return wanted_.jobs; }
    /// Blocks at the end that killed children write to; the workers leave them alone.
    [[nodiscard]] extent wild() const noexcept { return wild_; }

    void report(problem what);
    [[nodiscard]] std::size_t problems() const;
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    /// Whether a request never ends: nothing may be taken down.
    [[nodiscard]] bool lost() const noexcept { return lost_; }
    void end() noexcept { ended_ = true; }
    /// Whether one more request may begin, of as many as were wanted. @return its number
    [[nodiscard]] std::optional<std::uint64_t> take_number();

    /// Forgets blocks on the medium: they read as zeros. @return 0 or -errno
    int discard(extent where, bool direct) const;
    /// fsync(2). @return 0 or -errno
    [[nodiscard]] int sync(bool direct) const;

    [[nodiscard]] outcome result() const;

    std::unique_ptr<model> blocks;
    history requests;
    std::atomic<std::uint64_t> completed{0};
    std::vector<skipped> left_out;

private:
    void prepare();
    void open_path();
    void choose_span();
    void find_abilities();
    void find_ways();
    bool can_map() const;
    void find_memory();
    void try_discard();
    void extend();

    const settings& wanted_;
    claims held_;
    int held_fd_ = -1;  ///< of a block device that is written
    std::optional<device> plain_;
    std::optional<device> direct_;
    abilities can_;
    extent wild_;
    identity home_;
    std::uint64_t offset_ = 0;
    clock::time_point begun_ = clock::now();
    std::atomic<std::uint64_t> numbers_{0};
    std::atomic<bool> ended_{false};
    mutable std::mutex lock_;
    std::vector<problem> problems_;
    std::atomic<bool> lost_{false};
};

}  // namespace scullpin::stress
