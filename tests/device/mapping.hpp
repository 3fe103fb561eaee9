// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>

#include <catch_amalgamated.hpp>

#include "control.hpp"

constexpr std::size_t huge_page_size = 2 << 20;

/// A mapping of any kind.
class mapping {
public:
    mapping(std::size_t size, int flags, int fd = -1, std::size_t offset = 0,
            int protection = PROT_READ | PROT_WRITE)
        : size_(size),
          data_(static_cast<std::byte*>(
              ::mmap(nullptr, size, protection, flags, fd, static_cast<off_t>(offset))))
    {
        REQUIRE(data_ != MAP_FAILED);
    }
    ~mapping() { ::munmap(data_, size_); }
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;
    [[nodiscard]] std::byte* data() const { return data_; }
    [[nodiscard]] std::span<std::byte> span() const { return {data_, size_}; }

private:
    std::size_t size_;
    std::byte* data_;
};

/// Huge pages of the machine, for one test.
class huge_pages {
public:
    explicit huge_pages(int count)
    {
        REQUIRE(control::get().write(path, std::to_string(count)) == 0);
    }
    ~huge_pages() { control::get().write(path, "0"); }
    huge_pages(const huge_pages&) = delete;
    huge_pages& operator=(const huge_pages&) = delete;

    static std::uint64_t free()
    {
        std::ifstream file("/proc/meminfo");
        std::string line;
        while (std::getline(file, line))
            if (line.starts_with("HugePages_Free:"))
                return std::stoull(line.substr(line.find(':') + 1));
        return 0;
    }

private:
    inline static const std::string path = "/proc/sys/vm/nr_hugepages";
};
