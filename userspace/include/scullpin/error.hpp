// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace scullpin {

/// Throws std::system_error for @p code, with @p context saying what was tried on what.
[[noreturn]] inline void throw_error(int code, const std::string& context)
{
    throw std::system_error(code, std::generic_category(), context);
}

/// The same for the errno of the call that just failed.
[[noreturn]] inline void throw_errno(const std::string& context)
{
    throw_error(errno, context);
}

/// A node or file that cannot be opened: there is no such device, or it is not ours to use.
class open_error : public std::system_error {
public:
    using std::system_error::system_error;
};

/// What the user asked for makes sense, but cannot be done on this machine or path; nothing was.
class unavailable_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What the user asked for does not make sense: wrong size, wrong combination.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace scullpin
