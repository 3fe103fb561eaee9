// SPDX-License-Identifier: MIT
#include "tracefs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin::cli {

namespace fs = std::filesystem;

namespace {

const fs::path tracing = "/sys/kernel/tracing";

[[noreturn]] void refuse(int code, const std::string& what_to_do)
{
    throw open_error(code, std::generic_category(), what_to_do);
}

void write_to(const fs::path& file, const char* text)
{
    std::ofstream stream(file);
    if (!(stream << text << std::flush)) refuse(EACCES, "write " + file.string() + ": run as root");
}

}  // namespace

trace_instance::trace_instance()
{
    if (::access(tracing.c_str(), X_OK) != 0 && errno == EACCES)
        refuse(EACCES, tracing.string() + " is not ours to use: run as root");
    if (!fs::exists(tracing / "instances"))
        refuse(ENODEV, "no trace events here: mount -t tracefs tracefs " + tracing.string());
    if (!fs::exists(tracing / "events/scullpin"))
        refuse(ENODEV, "the module has no events here: insmod scullpin.ko");
    const auto folder = tracing / "instances" / fmt::format("scullpin-{}", ::getpid());
    if (::mkdir(folder.c_str(), 0700) != 0) refuse(errno, "make " + folder.string());
    folder_ = folder;
    try {
        // Per CPU; what is more is lost, and said to be.
        write_to(folder_ / "buffer_size_kb", "8192");
        // One clock for all CPUs: a request is submitted on one and ends on another.
        write_to(folder_ / "trace_clock", "mono");
        write_to(folder_ / "events/scullpin/enable", "1");
    } catch (...) {
        ::rmdir(folder_.c_str());
        throw;
    }
}

trace_instance::~trace_instance()
{
    // The kernel empties it; the events of an instance end with it.
    ::rmdir(folder_.c_str());
}

std::ifstream trace_instance::stop()
{
    write_to(folder_ / "events/scullpin/enable", "0");
    return std::ifstream(folder_ / "trace");
}

}  // namespace scullpin::cli
