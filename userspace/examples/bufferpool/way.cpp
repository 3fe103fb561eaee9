// SPDX-License-Identifier: MIT
#include "way.hpp"

#include <array>

namespace scullpin::bufferpool {

const char* to_string(way_kind kind)
{
    static constexpr std::array names{"pool", "cached", "mapped", "pool-over-cache"};
    return names.at(static_cast<std::size_t>(kind));
}

std::span<const way_kind> all_way_kinds()
{
    static constexpr std::array kinds{way_kind::pool, way_kind::cached, way_kind::mapped,
                                      way_kind::pool_over_cache};
    return kinds;
}

std::unique_ptr<way> make_way(way_kind kind, const device& node, const way_settings& settings)
{
    switch (kind) {
    case way_kind::cached: return make_cached_way(node, settings);
    case way_kind::mapped: return make_mapped_way(node, settings);
    case way_kind::pool:
    case way_kind::pool_over_cache: break;
    }
    return make_pool_way(node, settings);
}

}  // namespace scullpin::bufferpool
