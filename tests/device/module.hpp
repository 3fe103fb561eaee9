// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "fixture.hpp"

/// The module under test, loaded and unloaded by system calls, so that every answer is an exact
/// errno. Needs root.
namespace module {

/// init_module(2) of the file that SCULLPIN_KO names. @return 0 or -errno
int load(const std::string& parameters = {});
/// delete_module(2), without waiting. @return 0 or -errno
int unload();
/// The same, repeated while the last close of the node is under way. @return 0, or -errno after
/// twenty seconds
int unload_soon();
[[nodiscard]] bool is_loaded();
/// How often a test loads the module: @p stock times, on a debug kernel three times, because it
/// delays each release by seconds on purpose.
[[nodiscard]] int rounds(int stock);

}  // namespace module

/// Takes the module away for a test, and brings it back with its defaults afterwards.
class module_fixture : private kernel_fixture {
public:
    module_fixture();
    ~module_fixture();
};
