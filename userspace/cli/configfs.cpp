// SPDX-License-Identifier: MIT
#include "configfs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"
#include "sysfs.hpp"

namespace scullpin::cli {

namespace fs = std::filesystem;

namespace {

const fs::path root = "/sys/kernel/config/scullpin";

[[noreturn]] void throw_no_device(int code, const std::string& context)
{
    throw open_error(code, std::generic_category(), context);
}

void check_root()
{
    std::error_code error;
    if (fs::is_directory(root, error)) return;
    throw_no_device(ENOENT, root.string() +
                                " is missing; load the module, then: modprobe configfs; "
                                "mount -t configfs none /sys/kernel/config");
}

/// "/dev/scullpin1" and "scullpin1" are one name; a folder has no slash in it.
std::string bare(const std::string& name)
{
    auto base = name.starts_with("/dev/") ? name.substr(5) : name;
    if (base.empty() || base == "." || base == ".." || base.find('/') != std::string::npos)
        throw usage_error(name + " is not the name of a device");
    return base;
}

/// The node of the device that a folder makes.
std::string node_of(const fs::path& folder)
{
    return "scullpin" + first_line(folder / "index").value_or("");
}

bool is_folder(const fs::path& path)
{
    std::error_code error;
    return fs::is_directory(path, error);
}

}  // namespace

device_folder device_folder::make(const std::string& name)
{
    check_root();
    device_folder folder(bare(name));
    if (::mkdir(folder.path().c_str(), 0755) == 0) return folder;
    if (errno == EACCES || errno == EPERM)
        throw_no_device(errno, "make " + folder.path() + " (devices are made by root)");
    throw_errno("make " + folder.path());
}

device_folder device_folder::find(const std::string& name)
{
    check_root();
    const auto base = bare(name);
    if (is_folder(root / base)) return device_folder(base);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root, error))
        if (node_of(entry.path()) == base) return device_folder(entry.path().filename());
    if (is_folder(scullpin_class / base))
        throw_no_device(EBUSY, base + " goes with the module: rmmod scullpin; device");
    throw_no_device(ENODEV, base);
}

std::string device_folder::node() const
{
    return node_of(root / name_);
}

std::string device_folder::path() const
{
    return root / name_;
}

void device_folder::power_on(const settings_list& values) const
{
    for (const auto& [setting, value] : values) write_setting(path(), setting, value);
    write_setting(path(), "power", "1");
}

void device_folder::remove() const
{
    if (::rmdir(path().c_str()) == 0) return;
    if (errno == EACCES || errno == EPERM)
        throw_no_device(errno, "remove " + path() + " (devices are removed by root)");
    throw_errno("remove " + path());
}

void write_setting(const std::string& folder, const std::string& setting, const std::string& value)
{
    const auto path = folder + "/" + setting;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw_errno(setting);
    if ((status.st_mode & 0222) == 0)
        throw_error(EBUSY, setting + " cannot change while the device is there");
    const int fd = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0) throw_no_device(errno, path);
    const file_descriptor file(fd);
    if (::write(fd, value.data(), value.size()) < 0) throw_errno(setting + "=" + value);
}

std::string settings_of(const std::string& name)
{
    const auto base = bare(name);
    if (is_folder(root / base)) return root / base;
    if (is_folder(scullpin_class / base)) return scullpin_class / base;
    throw_no_device(ENODEV, base);
}

}  // namespace scullpin::cli
