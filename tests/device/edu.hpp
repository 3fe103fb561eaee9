// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include <catch_amalgamated.hpp>

/// QEMU's edu device in sysfs.
inline std::string edu_path()
{
    const char* path = std::getenv("SCULLPIN_DMA_DEVICE");
    REQUIRE(path != nullptr);
    return path;
}

/// How it reaches memory: plain, iommu, swiotlb or bounce.
inline std::string edu_reach()
{
    const char* reach = std::getenv("SCULLPIN_DMA_REACH");
    REQUIRE(reach != nullptr);
    return reach;
}

/// Commands of edu that have ended: two for each 2 KiB.
inline std::uint64_t edu_moves()
{
    std::uint64_t moves = 0;
    std::ifstream(edu_path() + "/moves") >> moves;
    return moves;
}

/// A parameter of edu_dma that makes something go wrong; 0 again at the end.
class edu_parameter {
public:
    edu_parameter(const std::string& name, unsigned value)
        : path_("/sys/module/edu_dma/parameters/" + name)
    {
        write(value);
    }
    ~edu_parameter() { write(0); }
    edu_parameter(const edu_parameter&) = delete;
    edu_parameter& operator=(const edu_parameter&) = delete;

    /// What is left of a parameter that counts down.
    [[nodiscard]] int value() const
    {
        int left = -1;
        std::ifstream(path_) >> left;
        return left;
    }

private:
    void write(unsigned value) const
    {
        // Not CHECK: the destructor must not throw.
        if (!(std::ofstream(path_) << value << std::flush)) FAIL_CHECK("write " << path_);
    }
    std::string path_;
};
