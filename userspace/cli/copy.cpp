// SPDX-License-Identifier: MIT
// copy and verify: two paths, one transfer.
#include <unistd.h>

#include <memory>

#include <fmt/core.h>

#include "options.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "target.hpp"
#include "scullpin/error.hpp"

namespace scullpin::cli {

namespace {

struct pair_options {
    common_options common;
    io_options io;
    std::string first;
    std::string second;
};

bool is_node(const endpoint& place)
{
    return place.main.shape().what != geometry::kind::regular_file;
}

/// --offset is a place on the device: on the second path if it is one, else on the first.
void place_offset(const endpoint& first, const endpoint& second, const io_options& io,
                  transfer_options& transfer)
{
    (is_node(first) && !is_node(second) ? transfer.source_offset : transfer.target_offset) =
        io.offset;
}

/// Of two files, one that goes on where the other ends is different. On a node nobody knows where the data ends.
bool differ_in_length(const endpoint& first, const endpoint& second)
{
    return !is_node(first) && !is_node(second) && first.main.shape().size != second.main.shape().size;
}

/// As much as the side that bounds the transfer has: the source, and for a comparison a file before a node, the shorter of two files.
std::uint64_t default_length(const endpoint& first, const endpoint& second,
                             const transfer_options& transfer, bool compare)
{
    const bool by_second = compare && !is_node(second) && (is_node(first) || second.main.shape().size < first.main.shape().size);
    const auto& bounding = by_second ? second : first;
    const auto offset = by_second ? transfer.target_offset : transfer.source_offset;
    if (!bounding.main.shape().size)
        throw usage_error(fmt::format("{} has no size of its own: give --size", bounding.main.path()));
    const auto size = *bounding.main.shape().size;
    return size > offset ? size - offset : 0;
}

/// A device must have room; a file gets its new size.
void prepare_target(const endpoint& target, const transfer_options& transfer)
{
    const auto end = transfer.target_offset + transfer.length;
    const auto& size = target.main.shape().size;
    if (is_node(target) && size && end > *size)
        throw_error(ENOSPC, fmt::format("copy {} bytes to offset {} of {}, which has {}", transfer.length,
                                        transfer.target_offset, target.main.path(), *size));
    if (!is_node(target) && ::ftruncate(target.main.fd(), static_cast<off_t>(end)) != 0)
        throw_errno(fmt::format("set the size of {}", target.main.path()));
}

int run(const pair_options& options, bool compare)
{
    auto transfer = to_transfer(options.io);
    const auto first = endpoint::open(options.first, access::read_only, options.io.direct);
    // A mapping for writing needs to read, too.
    const auto how = compare ? access::read_only : access::read_write;
    const auto second = endpoint::open(options.second, how, options.io.direct,
                                       !compare && may_create(options.second));
    place_offset(first, second, options.io, transfer);
    transfer.length = options.io.size ? *options.io.size : default_length(first, second, transfer, compare);
    if (!compare) prepare_target(second, transfer);
    progress_line progress(options.common, transfer.length);
    transfer.progress = [&progress](std::uint64_t bytes) { progress.update(bytes); };
    auto result = compare ? verify(first, second, transfer) : copy(first, second, transfer);
    if (!compare) second.main.sync();
    if (compare && !options.io.size && !result.stopped && !result.mismatch && differ_in_length(first, second))
        result.mismatch = transfer.length;
    return report(compare ? "verify" : "copy", result, progress.seconds(), options.io,
                  options.common);
}

void add_pair(CLI::App& app, const char* name, const char* help, bool compare, int& status)
{
    auto options = std::make_shared<pair_options>();
    auto* command = app.add_subcommand(name, help);
    command->add_option(compare ? "A" : "SOURCE", options->first, "any node or file")->required();
    command->add_option(compare ? "B" : "TARGET", options->second, "any node or file")->required();
    add_io(*command, options->io);
    add_common(*command, options->common);
    command->callback([options, compare, &status] { status = run(*options, compare); });
}

}  // namespace

void add_copy(CLI::App& app, int& status)
{
    add_pair(app, "copy", "copy between a file and a device, either way", false, status);
}

void add_verify(CLI::App& app, int& status)
{
    add_pair(app, "verify", "compare two of them; exit 3 where they differ", true, status);
}

}  // namespace scullpin::cli
