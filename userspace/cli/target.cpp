// SPDX-License-Identifier: MIT
#include "target.hpp"

#include <algorithm>
#include <filesystem>

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

}  // namespace scullpin::cli
