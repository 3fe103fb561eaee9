// SPDX-License-Identifier: MIT
#pragma once

#include "measure/loop.hpp"

namespace scullpin::modes {

/// Copies between memory and a shared mapping of the span, which is made once.
/// @throws std::system_error when the file cannot be mapped
[[nodiscard]] std::unique_ptr<measure::loop> make_mapped_loop(const measure::cell& kind,
                                                              const measure::target& on);

}  // namespace scullpin::modes
