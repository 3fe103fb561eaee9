// SPDX-License-Identifier: MIT
#include "scullpin/mapping.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "scullpin/error.hpp"

namespace scullpin {

mapping::mapping(int fd, std::size_t size, int protection, const std::string& context)
{
    void* memory = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) throw_errno(context);
    bytes_ = {static_cast<std::byte*>(memory), size};
}

mapping::~mapping()
{
    ::munmap(bytes_.data(), bytes_.size());
}

std::size_t mapping::page_bytes()
{
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::vector<bool> mapping::resident() const
{
    const std::size_t page = page_bytes();
    std::vector<unsigned char> there((bytes_.size() + page - 1) / page);
    if (::mincore(bytes_.data(), bytes_.size(), there.data()) != 0) throw_errno("mincore");
    std::vector<bool> result;
    result.reserve(there.size());
    for (const unsigned char one : there) result.push_back((one & 1) != 0);
    return result;
}

}  // namespace scullpin
