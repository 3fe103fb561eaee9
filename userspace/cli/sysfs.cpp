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

}  // namespace

bool is_setting(const std::string& name)
{
    return settings.contains(name);
}

std::optional<std::string> first_line(const fs::path& path)
{
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return line;
}

nlohmann::ordered_json attribute_value(const std::string& path)
{
    const auto text = first_line(path);
    if (!text) return nullptr;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error == std::errc{} && end == text->data() + text->size()) return number;
    return *text;
}

std::vector<std::string> scullpin_devices()
{
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(scullpin_class, error))
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
        auto value = attribute_value(scullpin_class / name / file);
        if (!value.is_null()) document[key] = std::move(value);
    }
    std::error_code error;
    std::map<std::string, nlohmann::ordered_json> counters;
    for (const auto& entry : fs::directory_iterator(scullpin_class / name / "stats", error))
        counters[entry.path().filename()] = attribute_value(entry.path());
    for (auto& [key, value] : counters) document["stats"][key] = std::move(value);
    return document;
}

std::map<std::string, std::uint64_t> scullpin_counters(const std::string& name,
                                                       const std::string& folder)
{
    std::map<std::string, std::uint64_t> counters;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(scullpin_class / name / folder, error))
        if (const auto value = attribute_value(entry.path()); value.is_number_unsigned())
            counters[entry.path().filename()] = value;
    return counters;
}

buckets scullpin_buckets(const std::string& name, const std::string& direction)
{
    buckets histogram;
    std::ifstream stream(scullpin_class / name / "latency" / direction);
    for (std::uint64_t floor = 0, requests = 0; stream >> floor >> requests;)
        histogram[floor] = requests;
    return histogram;
}

}  // namespace scullpin::cli
