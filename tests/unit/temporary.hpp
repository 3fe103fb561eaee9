// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <stdlib.h>

/// A folder that goes away with its owner.
class temporary_folder {
public:
    temporary_folder()
    {
        std::string pattern = std::filesystem::temp_directory_path() / "scullpin-XXXXXX";
        path_ = ::mkdtemp(pattern.data());
    }
    ~temporary_folder() { std::filesystem::remove_all(path_); }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

inline std::vector<std::byte> random_bytes(std::size_t size, unsigned seed = 1)
{
    std::mt19937 generator(seed);
    std::vector<std::byte> bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::byte>(generator());
    return bytes;
}

inline void write_file(const std::string& path, const std::vector<std::byte>& bytes)
{
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

/// A file of random bytes. @return its path
inline std::string random_file(const temporary_folder& folder, const std::string& name,
                               std::size_t size)
{
    write_file(folder.file(name), random_bytes(size));
    return folder.file(name);
}

inline std::vector<std::byte> read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
}
