// SPDX-License-Identifier: MIT
// copy and verify: two paths, one transfer.
#include <unistd.h>

#include <memory>

#include <fmt/core.h>

#include "options.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "target.hpp"
#include "scullpin/claims.hpp"
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

/// Bytes from the transfer's first one on; none when nobody knows.
std::optional<std::uint64_t> rest_of(const endpoint& place, std::uint64_t offset)
{
    const auto& size = place.main.shape().size;
    if (!size) return std::nullopt;
    if (offset > *size)
        throw usage_error(fmt::format("{} has {} bytes: nothing is at offset {}", place.main.path(),
                                      *size, offset));
    return *size - offset;
}

/// Of two files, one that goes on where the other ends is different. On a node nobody knows where
/// the data ends.
bool differ_in_length(const endpoint& first, const endpoint& second,
                      const transfer_options& transfer)
{
    return !is_node(first) && !is_node(second) &&
           rest_of(first, transfer.source_offset) != rest_of(second, transfer.target_offset);
}

/// Files of /proc and the like say that they are empty, and are not.
void refuse_false_size(const endpoint& place)
{
    char byte = 0;
    if (place.main.shape().size == 0 && ::pread(place.plain_fd(), &byte, 1, 0) > 0)
        throw usage_error(fmt::format("{} does not tell its size: give --size", place.main.path()));
}

/// As much as the side that bounds the transfer has: the source, and for a comparison a file before
/// a node, the shorter of two files.
std::uint64_t default_length(const endpoint& first, const endpoint& second,
                             const transfer_options& transfer, bool compare)
{
    const auto of_first = rest_of(first, transfer.source_offset);
    const auto of_second =
        compare && !is_node(second) ? rest_of(second, transfer.target_offset) : std::nullopt;
    const bool by_second = of_second && (is_node(first) || *of_second < of_first);
    const auto& length = by_second ? of_second : of_first;
    refuse_false_size(by_second ? second : first);
    if (!length)
        throw usage_error(fmt::format("{} has no size of its own: give --size", first.main.path()));
    return *length;
}

/// What can be known beforehand: source and target are two, the source has as much, a device has
/// room.
void check_copy(const endpoint& source, const endpoint& target, const transfer_options& transfer)
{
    if (!is_node(source) && source.main.is_same_as(target.main.fd()))
        throw usage_error(fmt::format("{} would be copied to itself", source.main.path()));
    const auto has = rest_of(source, transfer.source_offset);
    if (has && transfer.length > *has && source.main.shape().size != 0)
        throw std::runtime_error(fmt::format("{} has only {} bytes from offset {}",
                                             source.main.path(), *has, transfer.source_offset));
    const auto& room = target.main.shape().size;
    if (is_node(target) && room && transfer.target_offset + transfer.length > *room)
        throw_error(ENOSPC,
                    fmt::format("copy {} bytes to offset {} of {}, which has {}", transfer.length,
                                transfer.target_offset, target.main.path(), *room));
}

/// A file ends where the copy does. Only when all is there: what a failed copy had to say about the
/// old rest was nothing.
void cut_target(const endpoint& target, const transfer_options& transfer)
{
    const auto end = static_cast<off_t>(transfer.target_offset + transfer.length);
    if (!is_node(target) && ::ftruncate(target.main.fd(), end) != 0)
        throw_errno(fmt::format("set the size of {}", target.main.path()));
}

int run(const pair_options& options, bool compare)
{
    auto transfer = to_transfer(options.io);
    const auto first = endpoint::open(options.first, access::read_only, options.io.direct);
    claims held;
    if (!compare) held.add(options.second);
    // A mapping for writing needs to read, too.
    const auto how = compare ? access::read_only : access::read_write;
    const auto second = endpoint::open(options.second, how, options.io.direct,
                                       !compare && may_create(options.second));
    place_offset(first, second, options.io, transfer);
    transfer.length =
        options.io.size ? *options.io.size : default_length(first, second, transfer, compare);
    end_of(transfer.source_offset, transfer.length);
    end_of(transfer.target_offset, transfer.length);
    if (!compare) check_copy(first, second, transfer);
    progress_line progress(options.common, transfer.length);
    transfer.progress = [&progress](std::uint64_t bytes) { progress.update(bytes); };
    auto result = compare ? verify(first, second, transfer) : copy(first, second, transfer);
    if (!compare && !result.stopped) cut_target(second, transfer);
    if (!compare) second.main.sync();
    if (compare && !options.io.size && !result.stopped && !result.mismatch &&
        differ_in_length(first, second, transfer))
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
