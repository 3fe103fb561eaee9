// SPDX-License-Identifier: MIT
#include "scullpin/aligned_buffer.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <fmt/core.h>

#include "scullpin/error.hpp"

namespace scullpin {

aligned_buffer::aligned_buffer(std::size_t size)
{
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    size_ = (size + page - 1) / page * page;
    void* memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw_errno(fmt::format("mmap {} bytes of memory", size_));
    data_ = static_cast<std::byte*>(memory);
}

aligned_buffer& aligned_buffer::operator=(aligned_buffer&& other) noexcept
{
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

aligned_buffer::~aligned_buffer()
{
    if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace scullpin
