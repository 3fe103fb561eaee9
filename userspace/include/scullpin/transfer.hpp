// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "scullpin/backend.hpp"
#include "scullpin/device.hpp"

namespace scullpin {

/// How bytes are moved between two places.
struct transfer_options {
    backend_kind backend = backend_kind::sync;
    unsigned iodepth = 1;
    std::size_t block_size = 128 * 1024;
    std::uint64_t source_offset = 0;
    std::uint64_t target_offset = 0;
    std::uint64_t length = 0;
    /// Called now and then with the bytes done; from the calling thread.
    std::function<void(std::uint64_t)> progress;
    /// Set from a signal handler to stop: nothing more is submitted, what is in flight is waited
    /// for.
    const std::atomic<bool>* stop = nullptr;
};

struct transfer_result {
    std::uint64_t bytes = 0;     ///< done, all below it
    std::uint64_t requests = 0;  ///< operations on the second device
    bool stopped = false;
    std::optional<std::uint64_t> mismatch;  ///< verify: first offset, from the start, that differs
};

/// A place to copy from or to: a device, and for direct ones a plain way for what is not aligned.
struct endpoint {
    device main;
    std::optional<device> plain;

    /// @param direct for nodes; regular files are always plain here
    static endpoint open(const std::string& path, access how, bool direct, bool create = false);
    /// Where bytes that direct I/O cannot move go.
    [[nodiscard]] int plain_fd() const { return plain ? plain->fd() : main.fd(); }
};

/// Copies options.length bytes. Short transfers are continued.
/// @throws std::system_error naming path and offset; usage_error when block size and device
/// disagree
transfer_result copy(const endpoint& source, const endpoint& target,
                     const transfer_options& options);

/// Compares options.length bytes, stopping at the first difference.
/// @throws as copy()
transfer_result verify(const endpoint& first, const endpoint& second,
                       const transfer_options& options);

}  // namespace scullpin
