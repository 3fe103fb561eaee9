// SPDX-License-Identifier: MIT
#include "page_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "scullpin/error.hpp"

namespace scullpin::measure {

namespace {

constexpr std::size_t huge = std::size_t{2} << 20;

}  // namespace

page_pool::page_pool(page_kind kind, std::size_t size)
{
    const bool hugetlb = kind == page_kind::hugetlb;
    // Room to begin at a huge page.
    const std::size_t length = hugetlb ? size : size + huge;
    void* start = ::mmap(nullptr, length, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | (hugetlb ? MAP_HUGETLB : 0), -1, 0);
    if (start == MAP_FAILED) throw_errno(hugetlb ? "map hugetlb pages" : "map memory");
    map_ = {static_cast<std::byte*>(start), length};
    const auto address = reinterpret_cast<std::uintptr_t>(start);
    memory_ = map_.subspan(hugetlb ? 0 : (huge - address % huge) % huge, size);
    if (!hugetlb && ::madvise(memory_.data(), size,
                              kind == page_kind::thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0)
        throw_errno("choose the size of pages");
    std::fill(memory_.begin(), memory_.end(), std::byte{0x5a});
}

page_pool::~page_pool()
{
    if (map_.data() != nullptr) ::munmap(map_.data(), map_.size());
}

}  // namespace scullpin::measure
