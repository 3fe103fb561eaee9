// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace scullpin::bench {

/// Whether gnuplot is on PATH.
[[nodiscard]] bool has_gnuplot();

/// Refuses a picture that could not be written later, or would replace a node or what is measured.
/// @throws usage_error
void check_plot(const std::string& file, const std::vector<std::string>& paths);

/// Text in single quotes, for gnuplot: nothing but the quote is special, and a line must not end.
[[nodiscard]] std::string quoted(const std::string& text);

/// Lets gnuplot draw what @p script says into @p file, which begins empty.
/// @throws std::system_error, std::runtime_error when gnuplot made nothing
void draw(const std::string& file, const std::string& script);

}  // namespace scullpin::bench
