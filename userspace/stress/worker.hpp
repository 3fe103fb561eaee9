// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <map>
#include <unordered_map>
#include <vector>

#include "memory.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "target.hpp"

namespace scullpin::stress {

/// One thread of requests: keeps as many in flight as wanted, by every way there is, and compares
/// what they bring.
class worker {
public:
    worker(target& on, const settings& wanted, unsigned index);

    /// Until the target has ended, or a request never does: then what is in flight must be left
    /// alone for ever, this object included.
    void run();

    [[nodiscard]] tally did() const;
    /// Memory that a child may write to without its parent seeing it.
    [[nodiscard]] std::vector<std::span<std::byte>> private_memory() const;
    [[nodiscard]] std::vector<std::span<std::byte>> all_memory() const;

private:
    struct slot {
        bool busy = false;
        request what;
        std::span<std::byte> memory;
        std::vector<iovec> segments;
        moment begun = 0;
        target::clock::time_point since;
    };

    void step();
    void begin(std::uint64_t number);
    void begin_transfer(slot& free, std::size_t index);
    void act_at_once(request& what);
    void prepare_read(slot& one) const;
    void prepare_write(slot& one);
    void reap();
    void end(const completion& result);
    void end_read(slot& one);
    void end_write(slot& one);
    bool accept(slot& one);
    void verify(slot& one, std::size_t whole, const std::vector<model::candidates>& may_hold);
    void verify_untouched(const slot& one, std::span<const std::byte> memory,
                          const std::string& where);
    void verify_unknown(const slot& one, std::size_t block, std::span<const std::byte> bytes);
    void look_for_lost();
    void complain(const request& one, mismatch what, std::size_t block);
    void complain(const request& one, const std::string& kind, const std::string& text);
    [[nodiscard]] backend& backend_of(const way& by);
    [[nodiscard]] std::size_t in_flight() const noexcept { return running_.size(); }

    target& on_;
    const settings& wanted_;
    unsigned index_;
    plan plan_;
    std::map<memory_kind, memory> memory_;
    std::vector<std::pair<way, std::unique_ptr<backend>>> backends_;
    std::vector<slot> slots_;
    std::unordered_map<std::uint64_t, std::size_t> running_;  ///< slot by tag
    std::vector<completion> completions_;
    tally did_;
};

}  // namespace scullpin::stress
