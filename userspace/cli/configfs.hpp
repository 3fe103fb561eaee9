// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace scullpin::cli {

/// Settings by name, as text that the kernel takes.
using settings_list = std::vector<std::pair<std::string, std::string>>;

/// A folder in configfs, of which the power switch makes a device.
class device_folder {
public:
    /// Makes one. @throws open_error when this machine or user has no configfs for it,
    /// std::system_error when the name is taken or does not suit
    static device_folder make(const std::string& name);
    /// One that is there, by its name or that of its node. @throws open_error when it is not
    static device_folder find(const std::string& name);

    [[nodiscard]] const std::string& name() const { return name_; }
    /// Name of the node, "scullpin1".
    [[nodiscard]] std::string node() const;
    /// Where the settings are.
    [[nodiscard]] std::string path() const;
    /// Sets values in order, then the power. @throws std::system_error
    void power_on(const settings_list& values) const;
    /// Takes device and folder away. @throws std::system_error
    void remove() const;

private:
    explicit device_folder(std::string name) : name_(std::move(name)) {}

    std::string name_;
};

/// Writes one value to a setting. @throws std::system_error, with a sentence that says what was
/// wrong with it
void write_setting(const std::string& folder, const std::string& setting, const std::string& value);

/// Where the live settings of a device are, given by its node or its folder's name. @throws
/// open_error when there is none
[[nodiscard]] std::string settings_of(const std::string& name);

}  // namespace scullpin::cli
