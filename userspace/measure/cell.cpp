// SPDX-License-Identifier: MIT
#include "cell.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "scullpin/size.hpp"

namespace scullpin::measure {

namespace {

constexpr unsigned max_depth = 256;

bool is_depth(const std::string& word)
{
    return word.size() > 2 && word.size() < 6 && word.starts_with("qd") &&
           std::all_of(word.begin() + 2, word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// @return whether the word says something about the cell
bool take_word(cell& result, const std::string& word)
{
    if (word == "write")
        result.write = true;
    else if (word == "fixed")
        result.fixed = true;
    else if (word == "thp")
        result.pages = page_kind::thp;
    else if (word == "hugetlb")
        result.pages = page_kind::hugetlb;
    else if (is_depth(word))
        result.depth = static_cast<unsigned>(std::stoul(word.substr(2)));
    else if (!word.empty() && word.front() >= '1' && word.front() <= '9')
        result.size = parse_size(word);
    else
        return false;
    return true;
}

}  // namespace

cell parse_cell(const std::string& name)
{
    static const std::map<std::string, std::pair<api, bool>> apis{
        {"pread", {api::sync, false}},
        {"pwrite", {api::sync, true}},
        {"libaio", {api::libaio, false}},
        {"uring", {api::io_uring, false}}};
    std::istringstream words(name);
    std::string word;
    std::getline(words, word, '-');
    const auto found = apis.find(word);
    if (found == apis.end() || name.ends_with('-'))
        throw usage_error(name + ": begins with no known call");
    cell result;
    result.name = name;
    result.how = found->second.first;
    result.write = found->second.second;
    while (std::getline(words, word, '-'))
        if (!take_word(result, word))
            throw usage_error(fmt::format("{}: '{}' makes no sense", name, word));
    if (result.size == 0) throw usage_error(name + ": says no size");
    if (result.depth == 0 || result.depth > max_depth)
        throw usage_error(name + ": the depth is 1 to 256");
    if (result.how == api::sync && result.depth != 1)
        throw usage_error(name + ": a synchronous call has no depth");
    if (result.fixed && result.how != api::io_uring)
        throw usage_error(name + ": only io_uring has registered buffers");
    return result;
}

}  // namespace scullpin::measure
