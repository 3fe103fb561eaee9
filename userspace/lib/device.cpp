// SPDX-License-Identifier: MIT
#include "scullpin/device.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "uapi/scullpin.h"

namespace scullpin {

namespace {

int open_flags(access how, bool direct, bool create)
{
    const int mode = how == access::read_only    ? O_RDONLY
                     : how == access::write_only ? O_WRONLY
                                                 : O_RDWR;
    return mode | (direct ? O_DIRECT : 0) | (create ? O_CREAT : 0);
}

/// Sizes by the questions of the block layer, which scullpin and many character devices answer too.
void ask_node(int fd, geometry& shape)
{
    std::uint64_t size = 0;
    int block = 0;
    if (::ioctl(fd, BLKGETSIZE64, &size) == 0) shape.size = size;
    if (::ioctl(fd, BLKSSZGET, &block) == 0 && block > 0)
        shape.logical_block_size = static_cast<std::uint32_t>(block);
    shape.dma_alignment = shape.logical_block_size;

    scullpin_info info{};
    info.struct_size = sizeof(info);
    if (::ioctl(fd, SCULLPIN_IOC_INFO, &info) == 0) shape.dma_alignment = info.dma_alignment;
}

/// What direct transfers of a file need, which depends on the disk below. Kernels before v6.1 and
/// some filesystems do not say.
void ask_filesystem(int fd, geometry& shape)
{
    struct statx status {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0 ||
        (status.stx_mask & STATX_DIOALIGN) == 0 || status.stx_dio_offset_align == 0)
        return;
    shape.logical_block_size = status.stx_dio_offset_align;
    shape.dma_alignment = status.stx_dio_mem_align;
}

geometry look_at(int fd, const std::string& path, bool direct)
{
    struct stat status {};
    if (::fstat(fd, &status) != 0) throw_errno(fmt::format("fstat {}", path));
    geometry shape;
    if (S_ISREG(status.st_mode)) {
        shape.size = static_cast<std::uint64_t>(status.st_size);
        if (direct) ask_filesystem(fd, shape);
    } else if (S_ISBLK(status.st_mode)) {
        shape.what = geometry::kind::block_device;
        ask_node(fd, shape);
    } else if (S_ISCHR(status.st_mode)) {
        shape.what = geometry::kind::character_device;
        ask_node(fd, shape);
    } else if (S_ISDIR(status.st_mode)) {
        throw_error(EISDIR, fmt::format("open {}", path));
    } else {
        shape.what = geometry::kind::stream;
    }
    return shape;
}

/// Opening a named pipe waits for whoever has the other end, perhaps for ever.
void refuse_pipe(const std::string& path)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode))
        throw usage_error(fmt::format("{} is a pipe: give a node or a file", path));
}

}  // namespace

const char* to_string(geometry::kind what)
{
    switch (what) {
    case geometry::kind::regular_file: return "file";
    case geometry::kind::block_device: return "block";
    case geometry::kind::character_device: return "char";
    case geometry::kind::stream: return "stream";
    }
    return "?";
}

file_identity identity_of(const struct stat& status)
{
    const auto kind = status.st_mode & S_IFMT;
    if (kind == S_IFCHR || kind == S_IFBLK) return {kind, status.st_rdev, 0};
    return {kind, status.st_dev, status.st_ino};
}

device::device(file_descriptor fd, std::string path, bool direct)
    : fd_(std::move(fd)),
      path_(std::move(path)),
      direct_(direct),
      shape_(look_at(fd_.get(), path_, direct))
{
}

device device::open(const std::string& path, access how, bool direct, bool create)
{
    file_descriptor fd;
    refuse_pipe(path);
    try {
        fd = file_descriptor::open(path, open_flags(how, direct, create));
    } catch (const std::system_error& error) {
        const bool unknown = direct && error.code().value() == EINVAL;
        throw open_error(
            error.code(),
            fmt::format("open {}{}", path, unknown ? " with O_DIRECT, which it may not know" : ""));
    }
    return {std::move(fd), path, direct};
}

void device::sync() const
{
    // A node without fsync keeps nothing back.
    const bool optional = shape_.what != geometry::kind::regular_file;
    if (::fsync(fd()) != 0 && !(optional && (errno == EINVAL || errno == EOPNOTSUPP)))
        throw_errno(fmt::format("fsync {}", path_));
}

bool device::is_same_as(int other) const
{
    struct stat ours {
    }, theirs{};
    return ::fstat(fd(), &ours) == 0 && ::fstat(other, &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

void device::discard(std::uint64_t offset, std::uint64_t length) const
{
    scullpin_discard range{};
    range.struct_size = sizeof(range);
    range.offset = offset;
    range.length = length;
    if (::ioctl(fd(), SCULLPIN_IOC_DISCARD, &range) != 0)
        throw_errno(fmt::format("discard {} bytes at {} of {}", length, offset, path_));
}

}  // namespace scullpin
