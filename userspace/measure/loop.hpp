// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "cell.hpp"

namespace scullpin::measure {

/// Does the same I/O again and again, with as little of its own around the system calls as can be.
class loop {
public:
    loop() = default;
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    virtual ~loop() = default;

    /// @param count I/Os, a multiple of the depth
    /// @throws std::system_error, also when one is not of full length: it would look fast
    virtual void run(std::size_t count) = 0;
};

/// What a loop goes over.
struct target {
    int fd = -1;
    std::uint64_t span = 0;  ///< bytes of the file, from its start, that are moved over and over
    std::span<std::byte> memory;  ///< depth times size
};

/// @throws std::system_error when the kernel refuses
[[nodiscard]] std::unique_ptr<loop> make_loop(const cell& kind, const target& on);

/// The same loop without its system calls, to know what is the program's own. Not for io_uring, for
/// which it does operations that do nothing.
[[nodiscard]] std::unique_ptr<loop> make_empty_loop(const cell& kind, const target& on);

}  // namespace scullpin::measure
