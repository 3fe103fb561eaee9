// SPDX-License-Identifier: MIT
#include "settings.hpp"

#include <algorithm>
#include <array>

namespace scullpin::stress {

namespace {

template <typename Enum, std::size_t count>
const char* name_of(Enum value, const std::array<const char*, count>& names)
{
    return names.at(static_cast<std::size_t>(value));
}

}  // namespace

const char* to_string(act what)
{
    return name_of(what, std::array{"read", "write", "fsync", "discard"});
}

const char* to_string(memory_kind kind)
{
    return name_of(kind, std::array{"base", "thp", "hugetlb", "file", "shared", "fixed"});
}

const char* to_string(profile how)
{
    return name_of(how, std::array{"random", "sequential", "hot", "small", "large"});
}

const char* to_string(event what)
{
    return name_of(what,
                   std::array{"fork", "unmap", "cancel", "kill", "pageout", "signals", "memcg"});
}

const char* to_string(fault what)
{
    switch (what) {
    case fault::stale: return "stale";
    case fault::misdirected: return "misdirected";
    case fault::torn: return "torn";
    case fault::zeros: return "zeros";
    case fault::poison: return "poison";
    case fault::foreign: return "foreign";
    case fault::shortened:
    case fault::cut: return "short";
    case fault::overrun:
    case fault::spilled: return "overrun";
    case fault::lost:
    case fault::stuck: return "lost";
    case fault::doubled: return "double";
    case fault::changed: return "changed";
    }
    return "?";
}

bool settings::has(event what) const
{
    return std::find(hostile.begin(), hostile.end(), what) != hostile.end();
}

}  // namespace scullpin::stress
