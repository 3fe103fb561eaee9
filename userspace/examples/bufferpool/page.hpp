// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "frame.hpp"

namespace scullpin::bufferpool {

/// A page that is not the one that was asked for.
class wrong_page : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Makes a page that says which one it is, at both its ends.
void seal(std::span<std::byte> bytes, page_number page, std::uint64_t version);

/// Looks at every page that is read, and remembers what each one must be.
class witness {
public:
    /// @param pages 0: pages are of unknown origin, and only summed up
    explicit witness(std::size_t pages) : versions_(pages) {}

    /// Adds the page to the checksum. @throws wrong_page when it is another page, or an old one
    void read(page_number page, std::span<const std::byte> bytes);
    /// The same, and makes it the next version.
    void update(page_number page, std::span<std::byte> bytes);

    /// Of everything read so far, in its order.
    [[nodiscard]] std::uint64_t checksum() const noexcept { return checksum_; }

private:
    std::vector<std::uint32_t> versions_;
    std::uint64_t checksum_ = 0;
};

}  // namespace scullpin::bufferpool
