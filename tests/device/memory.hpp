// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/mman.h>

#include <catch_amalgamated.hpp>

constexpr std::size_t page_size = 4096;

/// Anonymous private memory of whole pages, for tests that protect, unmap or advise parts of it.
/// Threads make it, too, where Catch2 must not be asked: so it throws.
class memory {
public:
    explicit memory(std::size_t pages, int extra_flags = 0)
        : size_(pages * page_size),
          data_(static_cast<std::byte*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS | extra_flags, -1, 0)))
    {
        if (data_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    }
    ~memory() { unmap(); }
    memory(const memory&) = delete;
    memory& operator=(const memory&) = delete;

    void unmap()
    {
        if (size_ != 0) ::munmap(data_, std::exchange(size_, 0));
    }
    void protect(std::size_t page, std::size_t pages, int protection) const
    {
        REQUIRE(::mprotect(data_ + page * page_size, pages * page_size, protection) == 0);
    }
    [[nodiscard]] std::byte* data() const { return data_; }
    [[nodiscard]] std::byte* page(std::size_t index) const { return data_ + index * page_size; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::span<std::byte> span() const { return {data_, size_}; }
    void fill(std::byte value) const { std::memset(data_, static_cast<int>(value), size_); }

private:
    std::size_t size_;
    std::byte* data_;
};

/// Bytes that differ from position to position and from seed to seed.
inline void fill_random(std::span<std::byte> bytes, std::uint64_t seed)
{
    std::mt19937_64 generator(seed);
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t word = generator();
        std::memcpy(bytes.data() + at, &word, std::min(sizeof(word), bytes.size() - at));
    }
}

inline std::vector<std::byte> random_vector(std::size_t size, std::uint64_t seed)
{
    std::vector<std::byte> bytes(size);
    fill_random(bytes, seed);
    return bytes;
}

inline bool same(std::span<const std::byte> a, std::span<const std::byte> b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

inline bool all_equal(std::span<const std::byte> bytes, std::byte value)
{
    for (const auto byte : bytes)
        if (byte != value) return false;
    return true;
}
