// SPDX-License-Identifier: MIT
#include "scullpin/page_pool.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"

namespace scullpin {

namespace {

constexpr std::size_t huge = std::size_t{2} << 20;

std::span<std::byte> map(std::size_t length, int flags, int fd, const char* what)
{
    void* start = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (start == MAP_FAILED) throw_errno(fmt::format("map {} bytes of {}", length, what));
    return {static_cast<std::byte*>(start), length};
}

std::span<std::byte> map_file(std::size_t length, const std::string& folder)
{
    const auto file = file_descriptor::open(folder, O_TMPFILE | O_RDWR, 0600);
    // Not a hole: a page that has no place on a full disk is a signal.
    if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(length)); error != 0)
        throw_error(error, fmt::format("make a file of {} bytes in {}", length, folder));
    return map(length, MAP_SHARED, file.get(), "a file");
}

}  // namespace

page_pool::page_pool(page_kind kind, std::size_t size, const std::string& folder)
{
    const auto whole_huge = (size + huge - 1) / huge * huge;
    switch (kind) {
    case page_kind::hugetlb:
        memory_ = map_ = map(whole_huge, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1,
                             "huge pages; vm.nr_hugepages has too few");
        break;
    case page_kind::file: memory_ = map_ = map_file(size, folder); break;
    case page_kind::shared:
        memory_ = map_ = map(size, MAP_SHARED | MAP_ANONYMOUS, -1, "shared memory");
        break;
    case page_kind::base:
    case page_kind::thp:
        // Room to begin at a huge page.
        map_ = map(whole_huge + huge, MAP_PRIVATE | MAP_ANONYMOUS, -1, "memory");
        const auto address = reinterpret_cast<std::uintptr_t>(map_.data());
        memory_ = map_.subspan((huge - address % huge) % huge, whole_huge);
        if (::madvise(memory_.data(), memory_.size(),
                      kind == page_kind::thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0) {
            ::munmap(map_.data(), map_.size());
            throw_errno("choose the size of pages");
        }
    }
    std::fill(memory_.begin(), memory_.end(), std::byte{0x5a});
}

page_pool::~page_pool()
{
    if (map_.data() != nullptr) ::munmap(map_.data(), map_.size());
}

}  // namespace scullpin
