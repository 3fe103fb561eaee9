// SPDX-License-Identifier: MIT
#include "block.hpp"

#include <cstring>

// Not inline: its vector code on arm64 reads what the compiler does not see.
#include <xxhash.h>

namespace scullpin::stress {

namespace {

/// As it lies in a block, in the byte order of the machine: blocks do not travel.
struct header {
    std::uint64_t magic;
    std::uint64_t checksum;  ///< of all bytes of the block, this word as 0
    identity who;
    std::uint64_t key;  ///< of the header without it; where the other bytes follow from
};
static_assert(sizeof(header) == header_bytes);

constexpr std::uint64_t magic = 0x6e69706c6c756373;  // "scullpin"

header make_header(const identity& who) noexcept
{
    header head{magic, 0, who, 0};
    head.key = XXH3_64bits(&head, sizeof(head));
    return head;
}

void fill_rest(std::span<std::byte> rest, std::uint64_t key) noexcept
{
    std::uint64_t word = key;
    while (!rest.empty()) {
        word += 0x9e3779b97f4a7c15;
        const std::uint64_t mixed = (word ^ (word >> 29)) * 0xbf58476d1ce4e5b9;
        const std::size_t length = std::min(rest.size(), sizeof(mixed));
        std::memcpy(rest.data(), &mixed, length);
        rest = rest.subspan(length);
    }
}

std::uint64_t checksum_of(std::span<const std::byte> block, header head) noexcept
{
    head.checksum = 0;
    const auto rest = block.subspan(sizeof(head));
    return XXH3_64bits_withSeed(rest.data(), rest.size(), XXH3_64bits(&head, sizeof(head)));
}

}  // namespace

void fill_block(std::span<std::byte> block, const identity& who) noexcept
{
    header head = make_header(who);
    fill_rest(block.subspan(sizeof(head)), head.key);
    head.checksum = checksum_of(block, head);
    std::memcpy(block.data(), &head, sizeof(head));
}

std::optional<identity> read_header(std::span<const std::byte> block) noexcept
{
    header head{};
    if (block.size() < sizeof(head)) return std::nullopt;
    std::memcpy(&head, block.data(), sizeof(head));
    if (head.magic != magic || head.who.length != block.size() ||
        head.key != make_header(head.who).key)
        return std::nullopt;
    return head.who;
}

std::optional<identity> read_block(std::span<const std::byte> block) noexcept
{
    const auto who = read_header(block);
    if (!who) return std::nullopt;
    header head{};
    std::memcpy(&head, block.data(), sizeof(head));
    if (head.checksum != checksum_of(block, head)) return std::nullopt;
    return who;
}

}  // namespace scullpin::stress
