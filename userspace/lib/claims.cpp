// SPDX-License-Identifier: MIT
#include "scullpin/claims.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& who)
{
    throw open_error(
        std::error_code(EBUSY, std::generic_category()),
        fmt::format("open {}, which is in use by {} and will not be written", path, who));
}

/// The kernel itself knows who holds a block device: a mount, swap, md, another O_EXCL.
file_descriptor hold(const std::string& path)
{
    try {
        return file_descriptor::open(path, O_RDWR | O_EXCL);
    } catch (const std::system_error& error) {
        if (error.code().value() == EBUSY) refuse(path, "a mount or another holder");
        throw open_error(error.code(), fmt::format("open {}", path));
    }
}

bool first_line_is(const fs::path& file, const std::string& text)
{
    std::ifstream stream(file);
    std::string line;
    return std::getline(stream, line) && line == text;
}

void refuse_backing(const std::string& path)
{
    std::error_code unknown;
    const auto real = fs::canonical(path, unknown).string();
    for (const auto& entry : fs::directory_iterator("/sys/block", unknown))
        if (first_line_is(entry.path() / "loop/backing_file", real))
            refuse(path, "/dev/" + entry.path().filename().string());
    std::ifstream swaps("/proc/swaps");
    for (std::string line; std::getline(swaps, line);)
        if (line.starts_with(real + " ") || line.starts_with(real + "\t")) refuse(path, "swap");
}

}  // namespace

int claims::add(const std::string& path)
{
    struct stat status {};
    // What is not there, or not to be opened at all, is told by who opens it.
    if (::stat(path.c_str(), &status) != 0) return -1;
    if (S_ISREG(status.st_mode)) refuse_backing(path);
    if (!S_ISBLK(status.st_mode)) return -1;
    if (!held_.contains(status.st_rdev)) held_.emplace(status.st_rdev, hold(path));
    return held_.at(status.st_rdev).get();
}

}  // namespace scullpin
