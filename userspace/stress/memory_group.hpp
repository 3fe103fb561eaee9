// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace scullpin::stress {

/// A cgroup of its own, in which who takes more memory than there is has to reclaim and to wait.
/// What is switched on for it is switched off when the last one of this program goes away.
class memory_group {
public:
    /// @param root where a cgroup2 is mounted
    /// @param bytes from which on memory is short
    /// @throws std::system_error when there is no such cgroup to be had; nothing is changed then
    memory_group(const std::string& root, std::size_t bytes);
    ~memory_group();
    memory_group(const memory_group&) = delete;
    memory_group& operator=(const memory_group&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// How often memory was short.
    [[nodiscard]] std::uint64_t shortages() const;

private:
    std::shared_ptr<const void> controller_;
    std::string path_;
};

}  // namespace scullpin::stress
