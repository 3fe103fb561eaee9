// SPDX-License-Identifier: MIT
#include "memory.hpp"

namespace scullpin::stress {

namespace {

constexpr std::size_t page = 4096;

page_kind pages_of(memory_kind kind)
{
    switch (kind) {
    case memory_kind::thp: return page_kind::thp;
    case memory_kind::hugetlb: return page_kind::hugetlb;
    case memory_kind::file: return page_kind::file;
    case memory_kind::shared: return page_kind::shared;
    case memory_kind::base:
    case memory_kind::fixed: break;
    }
    return page_kind::base;
}

}  // namespace

// A page before, for the guard; one for the shift; one after.
memory::memory(memory_kind kind, const settings& wanted, std::size_t slots)
    : slot_bytes_((wanted.most_bytes + page - 1) / page * page + 3 * page),
      pages_(pages_of(kind), slots * slot_bytes_, wanted.scratch)
{
}

std::span<std::byte> memory::place(std::size_t slot, std::size_t shift, std::size_t length) const
{
    return pages_.memory().subspan(slot * slot_bytes_ + page + shift, length);
}

}  // namespace scullpin::stress
