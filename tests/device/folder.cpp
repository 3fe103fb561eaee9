// SPDX-License-Identifier: MIT
#include "folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <catch_amalgamated.hpp>

#include "control.hpp"

namespace {

std::string path_of(const std::string& name)
{
    return "/sys/kernel/config/scullpin/" + name;
}

std::string trimmed(std::string text)
{
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace

folder_fixture::folder_fixture()
{
    if (::geteuid() != 0) SKIP("devices are made by root");
}

int folder::make(const std::string& name)
{
    return ::mkdir(path_of(name).c_str(), 0755) != 0 ? -errno : 0;
}

int folder::remove(const std::string& name)
{
    return ::rmdir(path_of(name).c_str()) != 0 ? -errno : 0;
}

folder::folder(std::string name, const settings& values) : name_(std::move(name))
{
    REQUIRE(make(name_) == 0);
    for (const auto& [attribute, value] : values) REQUIRE(set(attribute, value) == 0);
}

folder::~folder()
{
    if (there_) remove();
}

int folder::set(const std::string& attribute, const std::string& value) const
{
    return control::get().write(path_of(name_) + "/" + attribute, value);
}

std::string folder::get(const std::string& attribute) const
{
    return trimmed(control::get().read(path_of(name_) + "/" + attribute));
}

int folder::remove()
{
    const int result = remove(name_);
    there_ = there_ && result != 0;
    return result;
}

std::uint64_t folder::counter(const std::string& name) const
{
    return std::stoull(control::get().read(sysfs() + "/stats/" + name));
}

scullpin::file_descriptor folder::open(int flags) const
{
    return scullpin::file_descriptor::open(node(), O_RDWR | flags);
}
