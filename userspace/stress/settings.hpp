// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scullpin/backend.hpp"
#include "scullpin/page_pool.hpp"

namespace scullpin::stress {

/// What one step of a worker does.
enum class act { read, write, sync, discard };
[[nodiscard]] const char* to_string(act what);

/// Where the bytes of a request are: a kind of pages, or a registered buffer of io_uring.
enum class memory_kind { base, thp, hugetlb, file, shared, fixed };
[[nodiscard]] const char* to_string(memory_kind kind);

/// How places and lengths are chosen.
enum class profile {
    random,      ///< any place, lengths of every magnitude
    sequential,  ///< each worker goes round, in whole requests
    hot,         ///< a few blocks that everybody wants
    small,       ///< one block
    large,       ///< the longest there are
};
[[nodiscard]] const char* to_string(profile how);

/// What happens around the requests.
enum class event { fork, unmap, cancel, kill, pageout, signals, memcg };
[[nodiscard]] const char* to_string(event what);

/// A corruption that the shim plants, so that it can be seen to be found.
enum class fault {
    stale,
    misdirected,
    torn,
    zeros,
    poison,
    foreign,
    shortened,
    overrun,
    lost,     ///< a completion that never comes
    doubled,  ///< one that comes twice
    changed,  ///< other bytes than at first, where nobody writes
    stuck,    ///< a call that does not return until long after it was told as lost
    cut,      ///< fewer bytes than asked, as its result says
    spilled,  ///< all bytes, and a result that says fewer
};
/// What the tester has to call it.
[[nodiscard]] const char* to_string(fault what);

/// A run of the stress tester on one path.
struct settings {
    std::string path;
    bool write = false;
    bool direct = false;
    bool mixed = false;  ///< both kinds of open at once
    unsigned jobs = 2;
    unsigned depth = 8;
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> size;
    std::size_t most_bytes = std::size_t{128} << 10;  ///< of a request
    std::vector<backend_kind> backends{};             ///< empty: all
    std::vector<memory_kind> memory{};                ///< empty: all
    std::vector<act> acts{};                          ///< empty: all
    std::vector<event> hostile{};
    profile how = profile::random;
    bool atomic = false;  ///< the device promises that requests do not mix within a block
    std::uint64_t seed = 1;
    std::optional<std::chrono::milliseconds> runtime{};
    std::optional<std::uint64_t> ops{};                             ///< of all workers
    std::chrono::milliseconds deadline = std::chrono::seconds(60);  ///< for one request
    bool create = false;           ///< make the file when there is none
    std::string scratch = "/tmp";  ///< where files are made that serve as memory
    std::optional<fault> plant{};
    const std::atomic<bool>* stop = nullptr;
    /// Asked when the path is open, and nothing of it is changed; false: it stays as it is.
    std::function<bool()> ready{};

    /// Whether this happens around the requests.
    [[nodiscard]] bool has(event what) const;
};

}  // namespace scullpin::stress
