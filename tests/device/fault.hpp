// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

/// A fault point of a module that was built with SCULLPIN_FAULT=1: the nth unit from now on fails,
/// once. Disarmed at the end.
class fault {
public:
    fault(const std::string& name, std::uint64_t nth);
    ~fault();
    fault(const fault&) = delete;
    fault& operator=(const fault&) = delete;

    /// Whether it has failed something.
    [[nodiscard]] bool fired() const;

private:
    std::string path_;
};
