// SPDX-License-Identifier: MIT
#pragma once

#include <climits>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

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

/// What edu has counted, by the name of its attribute.
inline std::uint64_t edu_count(const std::string& name)
{
    std::uint64_t count = 0;
    std::ifstream(edu_path() + "/" + name) >> count;
    return count;
}

/// Commands of edu that have ended: two for each 2 KiB.
inline std::uint64_t edu_moves()
{
    return edu_count("moves");
}

/// How often its client was told that a descriptor has ended.
inline std::uint64_t edu_callbacks()
{
    return edu_count("callbacks");
}

/// A number in sysfs that says what edu does; at the end again what it was.
class edu_number {
public:
    edu_number(std::string path, unsigned value, unsigned afterwards)
        : path_(std::move(path)), afterwards_(afterwards)
    {
        write(value);
    }
    ~edu_number() { write(afterwards_); }
    edu_number(const edu_number&) = delete;
    edu_number& operator=(const edu_number&) = delete;

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
    unsigned afterwards_;
};

/// A parameter of edu_dma that makes something go wrong; 0 again at the end.
class edu_parameter : public edu_number {
public:
    edu_parameter(const std::string& name, unsigned value)
        : edu_number("/sys/module/edu_dma/parameters/" + name, value, 0)
    {
    }
};

/// How long a segment may be, or across which addresses it must not lie; no limit at the end.
class edu_limit : public edu_number {
public:
    edu_limit(const std::string& name, unsigned value)
        : edu_number(edu_path() + "/" + name, value, UINT_MAX)
    {
    }
};
