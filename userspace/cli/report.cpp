// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <iostream>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "scullpin/size.hpp"

namespace scullpin::cli {

int report(const std::string& command, const transfer_result& result, double seconds,
           const io_options& io, const common_options& options)
{
    nlohmann::ordered_json document{
        {"schema", "scullpin-" + command + "/1"},
        {"bytes", result.bytes},
        {"requests", result.requests},
        {"seconds", seconds},
        {"backend", to_string(io.backend)},
        {"iodepth", io.iodepth},
        {"block_bytes", io.block_size},
        {"direct", io.direct},
        {"aborted", result.stopped},
    };
    if (command == "verify")
        document["mismatch_offset_bytes"] =
            result.mismatch ? nlohmann::ordered_json(*result.mismatch) : nullptr;
    if (options.json) {
        std::cout << document.dump(2) << '\n';
    } else if (!options.quiet) {
        fmt::print("{}: {} bytes in {} requests, {:.2f} s, {}/s ({}, depth {}{})\n", command,
                   result.bytes, result.requests, seconds,
                   format_size(static_cast<double>(result.bytes) / std::max(seconds, 1e-9)),
                   to_string(io.backend), io.iodepth, io.direct ? ", direct" : "");
    }
    if (result.mismatch) {
        fmt::print(stderr, "scullpin: the first difference is at offset {}\n", *result.mismatch);
        return mismatch;
    }
    if (result.stopped) return by_signal + stop_signal;
    return ok;
}

}  // namespace scullpin::cli
