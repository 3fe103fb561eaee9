// SPDX-License-Identifier: MIT
#include "overlap/run.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "overlap/cold.hpp"
#include "overlap/computation.hpp"
#include "overlap/source.hpp"
#include "scullpin/aligned_buffer.hpp"
#include "scullpin/error.hpp"

namespace scullpin::overlap {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

/// Thrown between two blocks, caught where what is complete is kept.
struct stop_seen {};

std::optional<backend_kind> choose_backend(const request& what, const device& node)
{
    if (what.backend) return what.backend;
    for (const auto kind : {backend_kind::libaio, backend_kind::io_uring}) {
        try {
            static_cast<void>(make_backend(kind, node.fd(), what.iodepth));
            return kind;
        } catch (const std::system_error&) {
            // The kernel was built or set up without it.
        }
    }
    return std::nullopt;
}

/// Goes over the range again and again.
class measurer {
public:
    measurer(const result& all, const control& how)
        : what_(all.what), blocks_(all.blocks), backend_(all.backend), control_(how)
    {
    }

    [[nodiscard]] nanoseconds io(way how, row& found) const
    {
        const auto from = begin(how, found);
        return pass([&] { static_cast<void>(from->next()); });
    }

    [[nodiscard]] nanoseconds compute(const computation& work,
                                      std::span<const std::byte> block) const
    {
        std::uint64_t hash = 0;
        const auto time = pass([&] { hash = work.run(block, hash); });
        asm volatile("" : : "r"(hash));
        return time;
    }

    [[nodiscard]] nanoseconds both(way how, const computation& work, row& found) const
    {
        const auto from = begin(how, found);
        found.hash = 0;
        return pass([&] { found.hash = work.run(from->next(), found.hash); });
    }

    /// The shortest I/O of the range.
    [[nodiscard]] nanoseconds shortest_io(way how) const
    {
        row unused;
        auto shortest = nanoseconds::max();
        for (unsigned round = 0; round < what_.rounds; round++)
            shortest = std::min(shortest, io(how, unused));
        return shortest;
    }

private:
    [[nodiscard]] std::unique_ptr<source> begin(way how, row& found) const
    {
        if (how == way::asynchronous && !backend_)
            throw_error(ENOSYS, "neither libaio nor io_uring can be had");
        const auto cached = make_cold(what_.path, blocks_ * what_.block_bytes);
        if (!is_direct(how) && cached)
            found.cached_before = std::max(found.cached_before.value_or(0), *cached);
        return make_source(how, what_, blocks_, backend_.value_or(backend_kind::libaio));
    }

    template <typename Step>
    [[nodiscard]] nanoseconds pass(Step step) const
    {
        const auto begun = clock::now();
        for (std::uint64_t block = 0; block < blocks_; block++) {
            if (control_.stop != nullptr && *control_.stop) throw stop_seen();
            step();
        }
        return clock::now() - begun;
    }

    const request& what_;
    std::uint64_t blocks_;
    std::optional<backend_kind> backend_;
    const control& control_;
};

/// As long as the direct I/O of a block; without direct I/O, as a cached one.
nanoseconds computation_like_io(const measurer& range, std::uint64_t blocks)
{
    try {
        return range.shortest_io(way::direct) / blocks;
    } catch (const std::system_error& error) {
        if (!modes::is_unknown(error)) throw;
    }
    return range.shortest_io(way::cached) / blocks;
}

/// The three passes of a round follow each other, so that a machine that becomes slower does so for
/// all of them.
row measure_way(way how, const measurer& range, const computation& work,
                std::span<const std::byte> block, const result& all, const control& watched)
{
    row found;
    found.how = how;
    auto& best = found.measured;
    best = {nanoseconds::max(), nanoseconds::max(), nanoseconds::max()};
    for (unsigned round = 1; round <= all.what.rounds; round++) {
        if (watched.progress) watched.progress(how, round);
        best.io = std::min(best.io, range.io(how, found));
        best.computation = std::min(best.computation, range.compute(work, block));
        best.both = std::min(best.both, range.both(how, work, found));
    }
    return found;
}

void measure_ways(result& all, const control& how)
{
    const measurer range(all, how);
    all.computation =
        all.what.computation ? *all.what.computation : computation_like_io(range, all.blocks);
    const aligned_buffer buffer(all.what.block_bytes);
    const auto block = buffer.span().first(all.what.block_bytes);
    const computation work(all.computation, block);
    for (const auto one : all_ways()) {
        try {
            all.rows.push_back(measure_way(one, range, work, block, all, how));
        } catch (const std::system_error& error) {
            if (!modes::is_unknown(error)) throw;
            all.unavailable[one] = error.what();
        }
    }
}

}  // namespace

result run(const request& what, const control& how)
{
    check(what);
    const auto node = device::open(what.path, access::read_only, false);
    result all;
    all.what = what;
    all.kind = node.shape().what;
    all.blocks = blocks_of(what, node.shape());
    all.backend = choose_backend(what, node);
    try {
        measure_ways(all, how);
    } catch (const stop_seen&) {
        all.aborted = true;
    }
    return all;
}

}  // namespace scullpin::overlap
