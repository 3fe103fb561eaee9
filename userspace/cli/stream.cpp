// SPDX-License-Identifier: MIT
// read and write: between a device and a stream, in order.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include <fmt/core.h>

#include "options.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "target.hpp"
#include "scullpin/aligned_buffer.hpp"
#include "scullpin/claims.hpp"
#include "scullpin/error.hpp"

namespace scullpin::cli {

namespace {

struct stream_options {
    common_options common;
    io_options io;
    std::string path;
    std::string stream = "-";
};

/// Bytes read until the span is full or the stream ends.
std::size_t read_all(int fd, std::span<std::byte> memory, const std::string& name)
{
    std::size_t done = 0;
    while (done < memory.size() && !stop_requested) {
        const ssize_t got = ::read(fd, memory.data() + done, memory.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw_errno(fmt::format("read {}", name));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void write_all(int fd, std::span<const std::byte> memory, const std::string& name)
{
    while (!memory.empty()) {
        const ssize_t put = ::write(fd, memory.data(), memory.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw_errno(fmt::format("write {}", name));
        memory = memory.subspan(static_cast<std::size_t>(put));
    }
}

/// One block between memory and the device; the part that direct I/O cannot move goes plainly.
/// @return bytes moved: fewer only at the end of the device
std::size_t move_block(const endpoint& place, backend& requests, direction dir,
                       std::uint64_t offset, std::span<std::byte> memory)
{
    const std::size_t unit = place.main.is_direct() ? place.main.shape().logical_block_size : 1;
    std::size_t done = 0;
    std::vector<completion> ended;
    while (done < memory.size()) {
        const auto rest = memory.subspan(done);
        const std::size_t aligned = (offset + done) % unit == 0 ? rest.size() / unit * unit : 0;
        std::int64_t result = 0;
        if (aligned > 0) {
            const operation op{dir, offset + done, rest.first(aligned), 0};
            requests.submit({&op, 1});
            ended.clear();
            requests.reap(ended, 1);
            result = ended.front().result;
        } else {
            const auto at = static_cast<off_t>(offset + done);
            result = dir == direction::read
                         ? ::pread(place.plain_fd(), rest.data(), rest.size(), at)
                         : ::pwrite(place.plain_fd(), rest.data(), rest.size(), at);
            if (result < 0) result = -errno;
        }
        if (result == -EINTR) continue;
        if (result < 0)
            throw_error(static_cast<int>(-result),
                        fmt::format("{} {} at offset {}", dir == direction::read ? "read" : "write",
                                    place.main.path(), offset + done));
        if (result == 0) break;
        done += static_cast<std::size_t>(result);
    }
    return done;
}

/// The file beside the device; none for the standard streams. Nothing of it is changed yet.
file_descriptor open_stream(const std::string& name, const endpoint& place, bool reading)
{
    if (name == "-") return {};
    auto file = file_descriptor::open(name, reading ? O_WRONLY | O_CREAT : O_RDONLY);
    if (place.main.is_same_as(file.get()))
        throw usage_error(fmt::format("{} is what it would be moved to", name));
    return file;
}

void empty(int fd, const std::string& name)
{
    struct stat status {};
    if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && ::ftruncate(fd, 0) != 0)
        throw_errno(fmt::format("empty {}", name));
}

/// Pipes and the like have nothing to sync.
void sync(int fd, const std::string& name)
{
    if (::fsync(fd) != 0 && errno != EINVAL && errno != EROFS && errno != EOPNOTSUPP)
        throw_errno(fmt::format("fsync {}", name));
}

int run(const stream_options& options, direction dir)
{
    const bool reading = dir == direction::read;
    const bool standard = options.stream == "-";
    if (standard && reading && options.common.json)
        throw usage_error("--json needs --output FILE: stdout carries the data");
    claims held;
    if (!reading) held.add(options.path);
    const auto place =
        endpoint::open(options.path, reading ? access::read_only : access::read_write,
                       options.io.direct, !reading && may_create(options.path));
    const auto file = open_stream(options.stream, place, reading);
    const int fd = standard ? (reading ? STDOUT_FILENO : STDIN_FILENO) : file.get();
    const auto requests = make_backend(options.io.backend, place.main.fd(), 1);
    const aligned_buffer buffer(options.io.block_size);
    const auto limit = options.io.size.value_or(std::numeric_limits<std::uint64_t>::max());
    end_of(options.io.offset, options.io.size.value_or(0));
    // Only now that nothing can be refused any more.
    if (reading && !standard) empty(file.get(), options.stream);
    progress_line progress(options.common,
                           options.io.size.value_or(place.main.shape().size.value_or(0)));
    transfer_result result;
    while (result.bytes < limit && !stop_requested) {
        auto memory = buffer.span().first(static_cast<std::size_t>(
            std::min<std::uint64_t>(options.io.block_size, limit - result.bytes)));
        if (!reading) memory = memory.first(read_all(fd, memory, options.stream));
        if (memory.empty()) break;
        const auto offset = options.io.offset + result.bytes;
        const std::size_t moved = move_block(place, *requests, dir, offset, memory);
        if (reading) write_all(fd, memory.first(moved), options.stream);
        result.bytes += moved;
        result.requests++;
        progress.update(result.bytes);
        if (moved < memory.size() && !reading)
            throw_error(ENOSPC, fmt::format("write {} at offset {}", options.path, offset + moved));
        if (moved < memory.size()) break;
    }
    result.stopped = stop_requested;
    if (!reading) place.main.sync();
    if (reading && !standard) sync(file.get(), options.stream);
    if (standard && reading) return result.stopped ? by_signal + stop_signal : int(ok);
    return report(reading ? "read" : "write", result, progress.seconds(), options.io,
                  options.common);
}

void add_stream(CLI::App& app, direction dir, const char* name, const char* help,
                const char* option, const char* option_help, int& status)
{
    auto options = std::make_shared<stream_options>();
    auto* command = app.add_subcommand(name, help);
    command->add_option("PATH", options->path, "any node or file")->required();
    command->add_option(option, options->stream, option_help)->capture_default_str();
    add_io(*command, options->io);
    add_common(*command, options->common);
    command->callback([options, dir, &status] {
        if (options->io.iodepth != 1)
            throw usage_error(
                "a stream is moved in order, one request at a time: use copy for --iodepth");
        status = run(*options, dir);
    });
}

}  // namespace

void add_read(CLI::App& app, int& status)
{
    add_stream(app, direction::read, "read", "read a device to stdout or a file", "--output",
               "where to, - for stdout", status);
}

void add_write(CLI::App& app, int& status)
{
    add_stream(app, direction::write, "write", "write stdin or a file to a device", "--input",
               "where from, - for stdin", status);
}

}  // namespace scullpin::cli
