// SPDX-License-Identifier: MIT
#include "traffic.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <fstream>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin::bufferpool {

namespace {

std::uint64_t number_in(const std::string& file)
{
    std::ifstream stream(file);
    std::uint64_t value = 0;
    if (!(stream >> value)) throw_error(EIO, "read " + file);
    return value;
}

/// The value after "NAME:".
std::uint64_t field_of(const std::string& file, const std::string& name)
{
    std::ifstream stream(file);
    std::string word;
    std::uint64_t value = 0;
    while (stream >> word >> value)
        if (word == name + ":") return value;
    throw_error(EIO, fmt::format("read {} in {}", name, file));
}

}  // namespace

traffic traffic::operator-(const traffic& before) const
{
    traffic difference{read_bytes - before.read_bytes, written_bytes - before.written_bytes, {}};
    if (requests && before.requests) difference.requests = *requests - *before.requests;
    return difference;
}

traffic_meter::traffic_meter(const device& node) : from_("/proc/self/io")
{
    struct stat status {};
    if (::fstat(node.fd(), &status) != 0) throw_errno(fmt::format("fstat {}", node.path()));
    if (!S_ISCHR(status.st_mode)) return;
    const auto stats =
        fmt::format("/sys/dev/char/{}:{}/stats", major(status.st_rdev), minor(status.st_rdev));
    std::error_code none;
    device_ = std::filesystem::exists(stats + "/bytes_read", none);
    if (device_) from_ = stats;
}

traffic traffic_meter::now() const
{
    if (!device_)
        return {field_of(from_, "read_bytes"), field_of(from_, "write_bytes"), std::nullopt};
    return {number_in(from_ + "/bytes_read"), number_in(from_ + "/bytes_written"),
            number_in(from_ + "/requests_completed")};
}

}  // namespace scullpin::bufferpool
