// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <mutex>
#include <set>
#include <vector>

namespace scullpin::stress {

/// A moment of the model's clock, which counts beginnings and ends of requests.
using moment = std::uint64_t;
constexpr moment never = std::numeric_limits<moment>::max();

/// Something that a block may hold.
struct version {
    enum class kind {
        block,    ///< what writer wrote as sequence
        zeros,    ///< a discard
        unknown,  ///< any bytes: nobody has looked yet
    };
    kind what = kind::unknown;
    std::uint64_t sequence = 0;
    std::uint32_t writer = 0;
    moment begun = 0;
    moment ended = never;
    moment dead = never;   ///< when a later write had replaced it for certain
    bool partial = false;  ///< failed or cut short: there in part, or not at all
};

/// A run of blocks, by number.
struct extent {
    std::size_t first = 0;
    std::size_t count = 0;
};

/// What each block of a device may hold, with any number of requests in flight.
///
/// The rule is that of a register with many writers: a read may give what a write wrote if the
/// write had begun before the read ended, unless another write, begun after that write had ended,
/// ended before the read began. What failed may be there or not, and replaces nothing. Thread-safe.
class model {
public:
    explicit model(std::size_t blocks);

    /// Before the request is submitted. @return its sequence, from 1
    std::uint64_t begin_write(extent where, version::kind what, std::uint32_t writer);
    /// After its completion came. @param whole blocks that are certainly written, from the first
    void end_write(extent where, std::uint64_t sequence, std::size_t whole);

    /// Before the request is submitted. @return when the read began
    moment begin_read();
    /// What a block may hold for a read that began then and has just ended, and what it held a
    /// while ago (dead before the read began) for whoever wants to name a mismatch.
    struct candidates {
        std::vector<version> alive;
        std::vector<version> past;
    };
    [[nodiscard]] std::vector<candidates> end_read(extent where, moment begun);

    /// A read saw these bytes first, of which nobody knew: from now on they are what is there.
    void learn(std::size_t block, std::uint64_t digest);
    /// The digest learnt of a block. @return 0 when there is none
    [[nodiscard]] std::uint64_t learnt(std::size_t block) const;

    [[nodiscard]] std::size_t blocks() const noexcept { return versions_.size(); }

private:
    void forget(std::vector<version>& versions) const;

    mutable std::mutex lock_;
    moment now_ = 0;
    std::uint64_t sequence_ = 0;
    std::multiset<moment> reads_;
    std::vector<std::vector<version>> versions_;
    std::vector<std::uint64_t> digests_;
};

}  // namespace scullpin::stress
