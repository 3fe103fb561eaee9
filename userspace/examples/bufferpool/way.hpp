// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "page.hpp"
#include "pool.hpp"
#include "scullpin/device.hpp"

namespace scullpin::bufferpool {

enum class way_kind { pool, cached, mapped, pool_over_cache };

[[nodiscard]] const char* to_string(way_kind kind);
[[nodiscard]] std::span<const way_kind> all_way_kinds();
/// O_DIRECT: only the own cache, where it is the only one.
[[nodiscard]] constexpr bool is_direct(way_kind kind)
{
    return kind == way_kind::pool;
}

/// How the pages are served.
struct way_settings {
    std::size_t page_bytes = 4096;
    std::size_t memory_bytes = 0;  ///< of the own cache
    unsigned iodepth = 32;
    std::optional<backend_kind> backend;  ///< none: io_uring, or libaio where it is refused
    std::uint64_t pages = 0;
    bool random_advice = false;  ///< tells the kernel not to read ahead
    bool writable = false;
};

/// A way to pages of a device. Every page that is read or updated is shown to a witness.
class way {
public:
    way() = default;
    way(const way&) = delete;
    way& operator=(const way&) = delete;
    virtual ~way() = default;

    virtual void read(page_number page, witness& seen) = 0;
    virtual void update(page_number page, witness& seen) = 0;
    virtual void scan(page_number first, std::uint64_t count, witness& seen) = 0;
    /// Everything written is on the device. @throws std::system_error
    virtual void flush() = 0;

    /// The own cache, where there is one.
    [[nodiscard]] virtual const pool* own_cache() const { return nullptr; }
    /// What moves the pages.
    [[nodiscard]] virtual std::string mover() const = 0;
};

/// @param node open as the kind and the settings need it; lives longer
[[nodiscard]] std::unique_ptr<way> make_way(way_kind kind, const device& node,
                                            const way_settings& settings);

[[nodiscard]] std::unique_ptr<way> make_pool_way(const device& node, const way_settings& settings);
[[nodiscard]] std::unique_ptr<way> make_cached_way(const device& node,
                                                   const way_settings& settings);
[[nodiscard]] std::unique_ptr<way> make_mapped_way(const device& node,
                                                   const way_settings& settings);

}  // namespace scullpin::bufferpool
