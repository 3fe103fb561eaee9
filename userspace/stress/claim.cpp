// SPDX-License-Identifier: MIT
#include "claim.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin::stress {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const device& path, const std::string& who)
{
    throw open_error(std::error_code(EBUSY, std::generic_category()),
                     fmt::format("{} is in use by {}", path.path(), who));
}

bool has_open(const fs::path& process, const struct stat& ours)
{
    std::error_code unknown;  // it may have ended, or be another user's
    for (const auto& entry : fs::directory_iterator(process / "fd", unknown)) {
        struct stat theirs {};
        if (::stat(entry.path().c_str(), &theirs) == 0 && identity_of(theirs) == identity_of(ours))
            return true;
    }
    return false;
}

}  // namespace

void refuse_open_elsewhere(const device& path)
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

}  // namespace scullpin::stress
