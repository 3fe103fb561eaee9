// SPDX-License-Identifier: MIT
#include "overlap/request.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "bench/job.hpp"
#include "scullpin/error.hpp"

namespace scullpin::overlap {

namespace {

/// The same range as a job of bench, which knows how to refuse it.
bench::job job_of(const request& what)
{
    bench::job same;
    same.rw = bench::pattern::read;
    same.block_bytes = what.block_bytes;
    same.size = what.size;
    same.iodepth = what.iodepth;
    same.direct = true;
    return same;
}

}  // namespace

void check(const request& what)
{
    bench::check(job_of(what));
    if (what.backend && bench::is_immediate(*what.backend))
        throw usage_error(fmt::format(
            "--backend {} ends each request before the next; io_uring and libaio do not",
            to_string(*what.backend)));
    if (what.computation && what.computation->count() <= 0)
        throw usage_error("--compute 0 leaves nothing to overlap with: give a time above it");
    if (what.rounds == 0) throw usage_error("--rounds 0 measures nothing");
}

std::uint64_t blocks_of(const request& what, const geometry& shape)
{
    const auto room = bench::span_of(job_of(what), shape, what.path).blocks;
    const std::uint64_t block = shape.logical_block_size;
    if (what.size.value_or(0) % block != 0)
        throw usage_error(
            fmt::format("--size {} is not a multiple of the {} bytes of a block of {}", *what.size,
                        block, what.path));
    const auto blocks = what.size ? room : std::min(room, default_blocks);
    if (blocks <= what.iodepth)
        throw usage_error(fmt::format(
            "{} requests of {} bytes are all that is used of {}; --iodepth {} needs at least {}: "
            "give a greater --size, or a smaller --bs or --iodepth",
            blocks, what.block_bytes, what.path, what.iodepth, what.iodepth + std::uint64_t{1}));
    return blocks;
}

}  // namespace scullpin::overlap
