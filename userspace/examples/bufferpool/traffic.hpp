// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "scullpin/device.hpp"

namespace scullpin::bufferpool {

/// What was moved between memory and a device.
struct traffic {
    std::uint64_t read_bytes = 0;
    std::uint64_t written_bytes = 0;
    std::optional<std::uint64_t> requests;  ///< none where nobody counts them

    traffic operator-(const traffic& before) const;
};

/// Reads the counters of a scullpin device, or, on any other path, those of this process.
class traffic_meter {
public:
    explicit traffic_meter(const device& node);

    /// The files that are read.
    [[nodiscard]] const std::string& from() const noexcept { return from_; }
    /// @throws std::system_error
    [[nodiscard]] traffic now() const;

private:
    std::string from_;
    bool device_ = false;
};

}  // namespace scullpin::bufferpool
