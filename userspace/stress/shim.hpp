// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "settings.hpp"
#include "target.hpp"

namespace scullpin::stress {

/// Puts a back end between the worker and @p real that lies once: the corruption @p what, when a
/// request comes that it can be done to. What the tester says then is its self-test.
[[nodiscard]] std::unique_ptr<backend> plant(fault what, std::unique_ptr<backend> real,
                                             const target& on);

}  // namespace scullpin::stress
