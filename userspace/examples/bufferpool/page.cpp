// SPDX-License-Identifier: MIT
#include "page.hpp"

#include <cstring>

#include <fmt/core.h>
#include <xxhash.h>

#include "bench/random.hpp"

namespace scullpin::bufferpool {

namespace {

/// Stands at the beginning and at the end of a page: one that is half old shows.
struct label {
    std::uint64_t page = 0;
    std::uint64_t version = 0;

    bool operator==(const label&) const = default;
};

std::span<std::byte> tail_of(std::span<std::byte> bytes)
{
    return bytes.last(sizeof(label));
}

label label_at(std::span<const std::byte> bytes)
{
    label found;
    std::memcpy(&found, bytes.data(), sizeof(found));
    return found;
}

void put(std::span<std::byte> bytes, const label& what)
{
    std::memcpy(bytes.data(), &what, sizeof(what));
    std::memcpy(tail_of(bytes).data(), &what, sizeof(what));
}

}  // namespace

void seal(std::span<std::byte> bytes, page_number page, std::uint64_t version)
{
    bench::random_numbers numbers(page);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t number = numbers.next();
        std::memcpy(bytes.data() + at, &number, sizeof(number));
    }
    put(bytes, {page, version});
}

void witness::read(page_number page, std::span<const std::byte> bytes)
{
    if (!versions_.empty()) {
        const label wanted{page, versions_.at(page)};
        const label head = label_at(bytes), tail = label_at(bytes.last(sizeof(label)));
        if (head != wanted || tail != wanted)
            throw wrong_page(fmt::format(
                "page {} version {} was asked for: what came begins as "
                "page {} version {} and ends as page {} version {}",
                page, wanted.version, head.page, head.version, tail.page, tail.version));
    }
    checksum_ = XXH64(bytes.data(), bytes.size(), checksum_);
}

void witness::update(page_number page, std::span<std::byte> bytes)
{
    read(page, bytes);
    put(bytes, {page, ++versions_.at(page)});
}

}  // namespace scullpin::bufferpool
