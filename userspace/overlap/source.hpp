// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "overlap/request.hpp"
#include "modes/way.hpp"
#include "scullpin/file_descriptor.hpp"

namespace scullpin::overlap {

using modes::way;

/// Gives the blocks of a range one after the other, as one way reaches them; each only once.
class source {
public:
    source() = default;
    source(const source&) = delete;
    source& operator=(const source&) = delete;
    /// Waits for what is in flight.
    virtual ~source() = default;

    /// The bytes of the next block, in memory, until the call after. The asynchronous way has begun
    /// with the blocks after it when it returns.
    /// @throws std::system_error naming path and offset
    [[nodiscard]] virtual std::span<const std::byte> next() = 0;
};

/// Opens the path anew: nothing is known yet of how it will be read.
/// @param backend of the asynchronous way
/// @throws std::system_error when the path cannot be reached that way
[[nodiscard]] std::unique_ptr<source> make_source(way how, const request& what,
                                                  std::uint64_t blocks, backend_kind backend);

}  // namespace scullpin::overlap
