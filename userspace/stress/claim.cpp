// SPDX-License-Identifier: MIT
#include "claim.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"

namespace scullpin::stress {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const device& path, const std::string& who)
{
    throw open_error(std::error_code(EBUSY, std::generic_category()),
                     fmt::format("{} is in use by {}", path.path(), who));
}

/// The kernel itself knows who holds a block device: a mount, swap, md, another O_EXCL.
void refuse_held(const device& path)
{
    if (path.shape().what != geometry::kind::block_device) return;
    const file_descriptor probe(::open(path.path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    if (!probe && errno == EBUSY) refuse(path, "a mount or another holder");
}

bool first_line_is(const fs::path& file, const std::string& text)
{
    std::ifstream stream(file);
    std::string line;
    return std::getline(stream, line) && line == text;
}

void refuse_backing(const device& path)
{
    if (path.shape().what != geometry::kind::regular_file) return;
    std::error_code unknown;
    const auto real = fs::canonical(path.path(), unknown).string();
    for (const auto& entry : fs::directory_iterator("/sys/block", unknown))
        if (first_line_is(entry.path() / "loop/backing_file", real))
            refuse(path, "/dev/" + entry.path().filename().string());
    std::ifstream swaps("/proc/swaps");
    for (std::string line; std::getline(swaps, line);)
        if (line.starts_with(real + " ") || line.starts_with(real + "\t")) refuse(path, "swap");
}

bool is_same(const struct stat& a, const struct stat& b)
{
    const bool node = S_ISCHR(a.st_mode) || S_ISBLK(a.st_mode);
    if ((a.st_mode & S_IFMT) != (b.st_mode & S_IFMT)) return false;
    return node ? a.st_rdev == b.st_rdev : a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool has_open(const fs::path& process, const struct stat& ours)
{
    std::error_code unknown;  // it may have ended, or be another user's
    for (const auto& entry : fs::directory_iterator(process / "fd", unknown)) {
        struct stat theirs {};
        if (::stat(entry.path().c_str(), &theirs) == 0 && is_same(ours, theirs)) return true;
    }
    return false;
}

void refuse_open(const device& path)
{
    struct stat ours {};
    if (::fstat(path.fd(), &ours) != 0) throw_errno(fmt::format("fstat {}", path.path()));
    const auto self = std::to_string(::getpid());
    std::error_code unknown;
    for (const auto& entry : fs::directory_iterator("/proc", unknown)) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos || name == self) continue;
        if (has_open(entry.path(), ours)) refuse(path, "process " + name);
    }
}

}  // namespace

void refuse_used(const device& path)
{
    refuse_held(path);
    refuse_backing(path);
    refuse_open(path);
}

}  // namespace scullpin::stress
