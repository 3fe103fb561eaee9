// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

#include "scullpin/page_pool.hpp"

namespace scullpin::measure {

enum class api { sync, libaio, io_uring };

/// One kind of I/O, as its name says it: pread-4k, pwrite-64k, libaio-4k-qd32, libaio-write-1m-qd1,
/// uring-4k-qd32-fixed, pread-1m-thp.
struct cell {
    std::string name;
    api how = api::sync;
    bool write = false;
    std::size_t size = 0;  ///< bytes of one I/O
    unsigned depth = 1;    ///< I/Os submitted together, then waited for together
    bool fixed = false;    ///< registered buffers
    page_kind pages = page_kind::base;
};

/// @throws usage_error naming the word that makes no sense
[[nodiscard]] cell parse_cell(const std::string& name);

}  // namespace scullpin::measure
