// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>

namespace scullpin::cli {

/// A trace buffer of our own with the module's events enabled: what others trace stays theirs. Goes
/// away with its owner.
class trace_instance {
public:
    /// @throws open_error, with a sentence that says what to do, when there is no tracefs, no
    /// module or no permission
    trace_instance();
    ~trace_instance();
    trace_instance(const trace_instance&) = delete;
    trace_instance& operator=(const trace_instance&) = delete;

    /// Ends the trace. @return its text
    [[nodiscard]] std::ifstream stop();

private:
    std::filesystem::path folder_;
};

}  // namespace scullpin::cli
