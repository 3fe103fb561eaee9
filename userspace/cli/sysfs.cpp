// SPDX-License-Identifier: MIT
#include "sysfs.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>

namespace scullpin::cli {

namespace fs = std::filesystem;

namespace {

const fs::path class_folder = "/sys/class/scullpin";

/// Attributes under the name that a document gives them: with the unit.
const std::map<std::string, std::string> settings{
    {"size", "size_bytes"},
    {"logical_block_size", "logical_block_bytes"},
    {"dma_alignment", "dma_alignment_bytes"},
    {"engine", "engine"},
    {"completion", "completion"},
    {"latency_us", "latency_us"},
    {"bandwidth", "bandwidth_bytes_per_second"},
    {"max_pinned", "max_pinned_bytes"},
    {"unaligned", "unaligned"},
    {"deadline_ms", "deadline_ms"},
};

nlohmann::ordered_json value_of(const fs::path& file)
{
    std::string text;
    std::ifstream stream(file);
    if (!std::getline(stream, text)) return nullptr;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size()) return number;
    return text;
}

}  // namespace

std::vector<std::string> scullpin_devices()
{
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(class_folder, error))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
        return std::pair(a.size(), a) < std::pair(b.size(), b);
    });
    return names;
}

nlohmann::ordered_json scullpin_attributes(const std::string& name)
{
    auto document = nlohmann::ordered_json::object();
    for (const auto& [file, key] : settings) {
        auto value = value_of(class_folder / name / file);
        if (!value.is_null()) document[key] = std::move(value);
    }
    std::error_code error;
    std::map<std::string, nlohmann::ordered_json> counters;
    for (const auto& entry : fs::directory_iterator(class_folder / name / "stats", error))
        counters[entry.path().filename()] = value_of(entry.path());
    for (auto& [key, value] : counters) document["stats"][key] = std::move(value);
    return document;
}

}  // namespace scullpin::cli
