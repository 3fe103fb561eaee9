// SPDX-License-Identifier: MIT
#include "target.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin::cli {

namespace {

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder)
{
    return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
           folder.end();
}

}  // namespace

bool may_create(const std::string& path)
{
    std::error_code unknown;  // opening it will say what is wrong
    const auto real = std::filesystem::weakly_canonical(path, unknown);
    return !is_below(real, "/dev") || is_below(real, "/dev/shm");
}

void claims::add(const std::string& path)
{
    struct stat status {};
    // What is not there, or not to be opened at all, is told by who opens it.
    if (::stat(path.c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) return;
    if (held_.contains(status.st_rdev)) return;
    try {
        held_.emplace(status.st_rdev, file_descriptor::open(path, O_RDONLY | O_EXCL));
    } catch (const std::system_error& error) {
        const bool used = error.code().value() == EBUSY;
        throw open_error(
            error.code(),
            fmt::format("open {}{}", path,
                        used ? ", which is mounted or in use and will not be written" : ""));
    }
}

}  // namespace scullpin::cli
