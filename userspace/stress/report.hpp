// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "mismatch.hpp"
#include "plan.hpp"

namespace scullpin::stress {

/// One request of a worker, for people.
struct request {
    std::uint64_t number = 0;  ///< of the run
    unsigned worker = 0;
    choice step;
    std::uint64_t offset = 0;    ///< bytes
    std::size_t length = 0;      ///< of an fsync 0: it has no place
    std::uint64_t sequence = 0;  ///< of a write
    double begun_s = 0;          ///< since the run began
    double ended_s = -1;         ///< negative: in flight
    std::int64_t result = 0;
};

/// "#12 worker 1: read of 4096 bytes at 8192 by io_uring, direct, into thp; ..."
[[nodiscard]] std::string describe(const request& one);

/// Something that ends a run badly.
struct problem {
    std::string kind;  ///< the name of a mismatch, "error", "lost" or "double"
    std::string text;
    request during;
    std::uint64_t offset = 0;  ///< of the block
    mismatch what;             ///< empty bytes where it is none
    std::vector<request> neighbours;
};

/// Requests in flight and the latest that ended. Thread-safe.
class history {
public:
    void begin(const request& one);
    void end(const request& one);
    /// The one in flight that began first.
    [[nodiscard]] std::optional<request> oldest() const;
    /// Those that overlap @p one in time, and of those that only do so in place, the latest.
    [[nodiscard]] std::vector<request> near(const request& one) const;

private:
    mutable std::mutex lock_;
    std::map<std::uint64_t, request> in_flight_;
    std::vector<request> ended_;
    std::size_t next_ = 0;
};

/// What a run did. Times are seconds.
struct tally {
    std::uint64_t submitted = 0;
    std::uint64_t completed = 0;
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes_written = 0;
    std::uint64_t blocks_verified = 0;
    std::uint64_t cut_short = 0;  ///< failed or short, as hostile events make them
    std::uint64_t cancelled = 0;  ///< were in flight when they were asked to end
    std::map<std::string, std::uint64_t> by_act;
    std::map<std::string, std::uint64_t> by_way;
    std::map<std::string, std::uint64_t> by_memory;

    void add(const tally& other);
};

/// What was asked for and cannot be done here.
struct skipped {
    std::string what;
    std::string reason;
};

struct outcome {
    std::string path;
    std::uint64_t offset = 0;
    std::uint64_t span_bytes = 0;
    std::size_t block_bytes = 0;
    std::uint64_t seed = 0;
    double seconds = 0;
    tally did;
    std::map<std::string, std::uint64_t> hostile;
    std::vector<skipped> left_out;
    std::vector<problem> problems;
    bool aborted = false;
    bool lost = false;  ///< something is in flight that never ends: nothing may be taken down
};

}  // namespace scullpin::stress
