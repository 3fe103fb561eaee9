// SPDX-License-Identifier: MIT
#include "workload.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace scullpin::bufferpool {

namespace {

double zeta(std::uint64_t count, double skew)
{
    double sum = 0;
    for (std::uint64_t i = 1; i <= count; i++) sum += std::pow(static_cast<double>(i), -skew);
    return sum;
}

}  // namespace

// Gray and others, "Quickly generating billion-record synthetic databases": no table of all pages.
workload::workload(const workload_settings& settings)
    : settings_(settings),
      numbers_(settings.seed),
      until_scan_(settings.scan_every),
      zeta_(zeta(settings.pages, settings.skew)),
      alpha_(1 / (1 - settings.skew)),
      mask_(std::bit_ceil(settings.pages) - 1)
{
    const auto pages = static_cast<double>(settings.pages);
    eta_ = (1 - std::pow(2 / pages, 1 - settings.skew)) /
           (1 - zeta(std::min<std::uint64_t>(2, settings.pages), settings.skew) / zeta_);
}

/// From 0 to 1, without 1.
double workload::fraction()
{
    return static_cast<double>(numbers_.next() >> 11) * 0x1p-53;
}

std::uint64_t workload::rank()
{
    const double u = fraction();
    if (u * zeta_ < 1 || settings_.pages < 3) return 0;
    if (u * zeta_ < 1 + std::pow(0.5, settings_.skew)) return 1;
    const auto pages = static_cast<double>(settings_.pages);
    const double found = pages * std::pow(eta_ * u - eta_ + 1, alpha_);
    return std::min(static_cast<std::uint64_t>(found), settings_.pages - 1);
}

/// Each rank has a page of its own, and neighbours in rank are none in place.
page_number workload::place(std::uint64_t rank) const
{
    page_number page = rank;
    do page = (page * 0x9e3779b97f4a7c15 + 0x7f4a7c15) & mask_;
    while (page >= settings_.pages);
    return page;
}

access_step workload::next()
{
    if (settings_.scan_every > 0 && until_scan_-- == 0) {
        until_scan_ = settings_.scan_every;
        const std::uint64_t count = std::min(settings_.scan_pages, settings_.pages);
        return {access_step::kind::scan, numbers_.next() % (settings_.pages - count + 1), count};
    }
    const page_number page = place(rank());
    const bool update = numbers_.next() % 100 < settings_.updates_percent;
    return {update ? access_step::kind::update : access_step::kind::read, page, 1};
}

}  // namespace scullpin::bufferpool
