// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "settings.hpp"
#include "target.hpp"

namespace scullpin::stress {

/// Puts a back end between the worker and @p real that lies now and then: the corruption @p what,
/// to every twentieth request that it can be done to, since a write may cover up an earlier one.
/// What the tester says then is its self-test.
[[nodiscard]] std::unique_ptr<backend> plant(fault what, std::unique_ptr<backend> real,
                                             const target& on);

}  // namespace scullpin::stress
