// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "scullpin/file_descriptor.hpp"

namespace scullpin {

enum class access { read_only, write_only, read_write };

/// What a path is and how direct transfers to it must be aligned.
struct geometry {
    enum class kind { regular_file, block_device, character_device, stream };
    kind what = kind::regular_file;
    std::optional<std::uint64_t> size;       ///< bytes; none for a stream
    std::uint32_t logical_block_size = 512;  ///< bytes; of offset and length
    std::uint32_t dma_alignment = 512;       ///< bytes; of addresses
};

[[nodiscard]] const char* to_string(geometry::kind what);

/// What tells a node or file from others, by whatever name: the kind, and of a device its number.
struct file_identity {
    unsigned kind = 0;
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const file_identity&) const = default;
};

[[nodiscard]] file_identity identity_of(const struct stat& status);

/// An open node or file, ours or any other. Move-only; safe to use from several threads at once.
class device {
public:
    /// @param direct open with O_DIRECT
    /// @param create make a regular file if there is none
    /// @throws open_error naming the path
    static device open(const std::string& path, access how, bool direct, bool create = false);

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const geometry& shape() const noexcept { return shape_; }
    [[nodiscard]] bool is_direct() const noexcept { return direct_; }

    /// fsync(2), where a node knows it. @throws std::system_error
    void sync() const;

    /// Whether @p other is open on the same file.
    [[nodiscard]] bool is_same_as(int other) const;

    /// Forgets a range of a scullpin device. @throws std::system_error
    void discard(std::uint64_t offset, std::uint64_t length) const;

private:
    device(file_descriptor fd, std::string path, bool direct);

    file_descriptor fd_;
    std::string path_;
    bool direct_ = false;
    geometry shape_;
};

}  // namespace scullpin
