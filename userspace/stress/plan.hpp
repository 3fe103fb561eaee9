// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "model.hpp"
#include "settings.hpp"

namespace scullpin::stress {

/// A back end on one kind of open.
struct way {
    backend_kind how = backend_kind::sync;
    bool direct = false;

    bool operator==(const way&) const = default;
};

/// Whether requests are in flight after their submission.
[[nodiscard]] bool is_asynchronous(const way& by);

/// What a worker can do on its target, found out before it begins.
struct abilities {
    std::vector<act> acts;
    std::vector<way> ways;
    std::vector<memory_kind> memory;
    std::size_t blocks = 0;         ///< of the part of the device that is used
    std::size_t block_bytes = 512;  ///< what the model knows, and offsets are multiples of
    std::size_t most_blocks = 1;    ///< of a request
    std::size_t address_unit = 1;   ///< of addresses and lengths in memory under O_DIRECT
};

/// One step of a worker.
struct choice {
    act what = act::read;
    way by;
    memory_kind memory = memory_kind::base;
    extent where;
    std::size_t shift = 0;            ///< bytes from the start of the slot of memory
    std::vector<std::size_t> pieces;  ///< bytes of each segment; empty: one
    bool cancel = false;              ///< ask for its end at once
};

/// Whether hostile events explain that a request moved less than it was asked to, or nothing. A
/// signal cuts only who waits for the device, and back ends begin anew what it cut before any byte.
/// @param result fewer bytes, or -errno
/// @param signals whether there are any
[[nodiscard]] bool may_be_cut(const choice& step, std::int64_t result, bool signals);

/// Chooses the steps of one worker from a seed: the same ones each time, whatever the clock does.
class plan {
public:
    plan(const settings& wanted, const abilities& can, unsigned worker);
    choice next();

private:
    std::size_t below(std::size_t bound);
    template <typename Value>
    const Value& any(const std::vector<Value>& values)
    {
        return values[below(values.size())];
    }
    act choose_act();
    extent choose_extent();
    void choose_memory(choice& step);

    profile how_;
    bool cancels_;
    const abilities& can_;
    std::mt19937_64 random_;
    std::size_t at_;
};

}  // namespace scullpin::stress
