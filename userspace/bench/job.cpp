// SPDX-License-Identifier: MIT
#include "bench/job.hpp"

#include <array>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin::bench {

namespace {

constexpr std::array names{"read", "write", "randread", "randwrite", "rw", "randrw"};

/// What Linux moves with one call; the end of a longer request would never come.
constexpr std::uint64_t most_bytes = 0x7ffff000;

bool is_mixed(pattern rw)
{
    return reads(rw) && writes(rw);
}

void check_alignment(const job& what, std::uint32_t block, const std::string& path)
{
    if (!what.direct) return;
    if (what.block_bytes % block != 0)
        throw usage_error(fmt::format("--bs {} is not a multiple of the {} bytes of a block of {}",
                                      what.block_bytes, block, path));
    if (what.offset % block != 0)
        throw usage_error(
            fmt::format("--offset {} is not a multiple of the {} bytes of a block of {}",
                        what.offset, block, path));
}

/// Bytes from the offset on. A span never goes beyond the end: a request there would be short.
std::uint64_t room(const job& what, const geometry& shape, const std::string& path)
{
    if (!shape.size && !what.size)
        throw usage_error(fmt::format("{} has no size of its own: give --size", path));
    const std::uint64_t most = std::uint64_t{1} << 62;
    const std::uint64_t has = shape.size.value_or(most);
    if (what.offset > has || what.size.value_or(0) > has - what.offset)
        throw usage_error(fmt::format("{} has {} bytes, and not {} from offset {}", path, has,
                                      what.size.value_or(0), what.offset));
    return what.size.value_or(has - what.offset);
}

}  // namespace

const char* to_string(pattern rw)
{
    return names.at(static_cast<std::size_t>(rw));
}

bool reads(pattern rw)
{
    return rw != pattern::write && rw != pattern::randwrite;
}

bool writes(pattern rw)
{
    return rw != pattern::read && rw != pattern::randread;
}

bool is_random(pattern rw)
{
    return rw == pattern::randread || rw == pattern::randwrite || rw == pattern::randrw;
}

std::optional<std::chrono::nanoseconds> time_limit(const job& what)
{
    if (what.runtime) return *what.runtime;
    if (what.size) return std::nullopt;
    return std::chrono::seconds(10);
}

unsigned read_percent(const job& what)
{
    if (is_mixed(what.rw)) return what.rwmixread.value_or(50);
    return reads(what.rw) ? 100 : 0;
}

bool is_immediate(backend_kind kind)
{
    return kind != backend_kind::libaio && kind != backend_kind::io_uring;
}

access access_of(const job& what)
{
    if (!writes(what.rw)) return access::read_only;
    // A mapping for writing needs to read, too.
    return reads(what.rw) || what.backend == backend_kind::mmap ? access::read_write
                                                                : access::write_only;
}

void check(const job& what)
{
    if (what.block_bytes == 0 || what.block_bytes > most_bytes)
        throw usage_error(
            fmt::format("--bs {}: a request moves 1 to {} bytes", what.block_bytes, most_bytes));
    if (what.fixedbufs && what.backend != backend_kind::io_uring)
        throw usage_error(fmt::format("--fixedbufs is of io_uring; {} registers no memory",
                                      to_string(what.backend)));
    if (what.rwmixread && !is_mixed(what.rw))
        throw usage_error(fmt::format(
            "--rwmixread with --rw {}: nothing is mixed; use rw or randrw", to_string(what.rw)));
    if (what.rwmixread.value_or(0) > 100) throw usage_error("--rwmixread is 0 to 100 percent");
    if (what.runtime && what.runtime->count() == 0) throw usage_error("--runtime 0 runs nothing");
}

span span_of(const job& what, const geometry& shape, const std::string& path)
{
    if (shape.what == geometry::kind::stream)
        throw usage_error(fmt::format("{} is a stream, which has no offsets", path));
    check_alignment(what, shape.logical_block_size, path);
    const std::uint64_t bytes = room(what, shape, path);
    if (bytes < what.block_bytes)
        throw usage_error(fmt::format("{} bytes of {} are fewer than one request of {}", bytes,
                                      path, what.block_bytes));
    return {what.offset, bytes / what.block_bytes};
}

}  // namespace scullpin::bench
