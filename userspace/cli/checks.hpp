// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "machine.hpp"

namespace scullpin::cli {

enum class state { ok, missing, broken };

[[nodiscard]] const char* to_string(state what);

/// What one check found.
struct finding {
    state what = state::ok;
    std::string detail;
    std::string mend;  ///< the one command that does; empty when all is well
};

/// One row of doctor's table.
struct check {
    const char* name;
    const char* needed_for;
    bool (*required)(const machine&);
    finding (*look)(const machine&);
};

/// Every check, in the order in which things are mended.
[[nodiscard]] std::span<const check> all_checks();

}  // namespace scullpin::cli
