// SPDX-License-Identifier: MIT
#include "mismatch.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace scullpin::stress {

namespace {

using bytes = std::vector<std::byte>;

std::vector<bytes> make_versions(const std::vector<version>& versions, const identity& home)
{
    std::vector<bytes> made;
    made.reserve(versions.size());
    for (const auto& one : versions) made.push_back(make_version(one, home));
    return made;
}

/// Whether each byte is that of one of the versions.
bool is_mix_of(std::span<const std::byte> block, const std::vector<bytes>& versions)
{
    for (std::size_t i = 0; i < block.size(); i++)
        if (std::none_of(versions.begin(), versions.end(),
                         [&](const bytes& one) { return one[i] == block[i]; }))
            return false;
    return true;
}

std::size_t differences(std::span<const std::byte> block, const bytes& other)
{
    std::size_t count = 0;
    for (std::size_t i = 0; i < block.size(); i++) count += block[i] != other[i] ? 1 : 0;
    return count;
}

/// Of what may be there, the version that the block is most like; the latest of equals.
const bytes& nearest(std::span<const std::byte> block, const std::vector<bytes>& versions)
{
    return *std::min_element(versions.rbegin(), versions.rend(), [&](const auto& a, const auto& b) {
        return differences(block, a) < differences(block, b);
    });
}

bool wrong_bytes_are(std::span<const std::byte> block, const bytes& expected, std::byte value)
{
    for (std::size_t i = 0; i < block.size(); i++)
        if (block[i] != expected[i] && block[i] != value) return false;
    return true;
}

/// Whether it is of this place and run.
bool is_of(const identity& who, const identity& home)
{
    return who.device == home.device && who.offset == home.offset &&
           who.generation == home.generation && who.length == home.length;
}

version version_of(const identity& who)
{
    return {.what = version::kind::block, .sequence = who.sequence, .writer = who.writer};
}

/// Of a block that is whole, and says whose it is.
mismatch_kind name_by_identity(const identity& who, const identity& home)
{
    if (who.generation != home.generation || who.device != home.device)
        return mismatch_kind::foreign;
    return who.offset != home.offset ? mismatch_kind::misdirected : mismatch_kind::stale;
}

mismatch_kind name_of(std::span<const std::byte> block, const identity& home, const bytes& expected,
                      std::vector<bytes> ever)
{
    if (wrong_bytes_are(block, expected, prefill)) return mismatch_kind::shortened;
    if (wrong_bytes_are(block, expected, std::byte{0})) return mismatch_kind::zeros;
    if (wrong_bytes_are(block, expected, poison_byte)) return mismatch_kind::poison;
    if (const auto who = read_block(block)) return name_by_identity(*who, home);
    // A discard that is long past.
    if (std::all_of(block.begin(), block.end(), [](std::byte one) { return one == std::byte{0}; }))
        return mismatch_kind::zeros;
    // The header tells of one more version that the block may be a part of.
    if (const auto who = read_header(block)) {
        if (!is_of(*who, home)) return name_by_identity(*who, home);
        ever.push_back(make_version(version_of(*who), home));
    }
    return is_mix_of(block, ever) ? mismatch_kind::torn : mismatch_kind::foreign;
}

std::string describe(const version& one)
{
    if (one.what == version::kind::zeros) return fmt::format("zeros (discard {})", one.sequence);
    if (one.what == version::kind::unknown) return "anything";
    return fmt::format("sequence {} of writer {}{}{}", one.sequence, one.writer,
                       one.ended == never ? ", in flight" : "", one.partial ? ", failed" : "");
}

std::string describe(std::span<const std::byte> block, const std::vector<version>& alive)
{
    std::string text = "may hold ";
    for (const auto& one : alive) text += (&one == &alive.front() ? "" : "; or ") + describe(one);
    const auto who = read_header(block);
    if (!who) return text + "; has no header of a block";
    return text + fmt::format("; its header says sequence {} of writer {} for offset {}{}",
                              who->sequence, who->writer, who->offset,
                              read_block(block) ? "" : ", but its checksum is wrong");
}

}  // namespace

const char* to_string(mismatch_kind kind)
{
    constexpr std::array names{"stale",   "misdirected", "torn",    "zeros",  "poison",
                               "foreign", "short",       "overrun", "changed"};
    return names.at(static_cast<std::size_t>(kind));
}

std::vector<std::byte> make_version(const version& one, identity home)
{
    bytes made(home.length, std::byte{0});
    home.sequence = one.sequence;
    home.writer = one.writer;
    if (one.what == version::kind::block) fill_block(made, home);
    return made;
}

std::optional<mismatch> examine(std::span<const std::byte> block, const identity& home,
                                const model::candidates& may_hold, bool mixes)
{
    const auto& alive = may_hold.alive;
    for (const auto& one : alive) {
        if (one.what == version::kind::unknown) return std::nullopt;
        mixes = mixes || one.partial;
    }
    const auto versions = make_versions(alive, home);
    for (const auto& one : versions)
        if (std::equal(one.begin(), one.end(), block.begin())) return std::nullopt;
    if (mixes && is_mix_of(block, versions)) return std::nullopt;

    mismatch result;
    result.expected = nearest(block, versions);
    result.found.assign(block.begin(), block.end());
    result.at = static_cast<std::size_t>(
        std::mismatch(block.begin(), block.end(), result.expected.begin()).first - block.begin());
    auto ever = make_versions(may_hold.past, home);
    ever.insert(ever.end(), versions.begin(), versions.end());
    result.kind = name_of(block, home, result.expected, std::move(ever));
    result.detail = describe(block, alive);
    return result;
}

std::optional<mismatch> examine_uncounted(std::span<const std::byte> block, const identity& home,
                                          const version& first)
{
    const auto who = read_header(block);
    const bool ours = who && is_of(*who, home);
    auto wrong = examine(block, home, {{ours ? version_of(*who) : first}, {}}, false);
    // Under a header of this place, other bytes are those of another of the writes.
    if (wrong && ours && wrong->kind == mismatch_kind::foreign) wrong->kind = mismatch_kind::torn;
    return wrong;
}

}  // namespace scullpin::stress
