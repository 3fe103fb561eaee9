// SPDX-License-Identifier: MIT
#include "modes/survey.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include <fmt/core.h>

#include "modes/mapped_loop.hpp"
#include "scullpin/device.hpp"
#include "scullpin/error.hpp"
#include "scullpin/page_pool.hpp"

namespace scullpin::modes {

namespace {

constexpr std::size_t warm_step = std::size_t{1} << 20;

bool is_stopped(const survey_control& how)
{
    return how.stop != nullptr && *how.stop;
}

unsigned depth_at(const request& what, std::uint64_t size)
{
    return static_cast<unsigned>(std::clamp<std::uint64_t>(what.span / size, 1, what.iodepth));
}

measure::cell cell_of(const request& what, way how, std::uint64_t size, unsigned depth)
{
    measure::cell kind;
    kind.name = to_string(how);
    kind.how = how != way::asynchronous               ? measure::api::sync
               : what.backend == backend_kind::libaio ? measure::api::libaio
                                                      : measure::api::io_uring;
    kind.write = what.write;
    kind.size = size;
    kind.depth = depth;
    return kind;
}

/// One file, opened as one way wants it, with memory for its requests.
class place {
public:
    place(const request& what, way how, std::span<std::byte> memory)
        : what_(what),
          how_(how),
          memory_(memory),
          fd_(file_descriptor::open(what.path, (what.write ? O_RDWR : O_RDONLY) | open_flags(how)))
    {
    }

    /// All of the span is cached, and clean.
    void warm() const
    {
        for (std::uint64_t at = 0; at < what_.span; at += warm_step)
            if (::pread(fd_.get(), memory_.data(), std::min<std::uint64_t>(warm_step, what_.span),
                        static_cast<off_t>(at)) < 0)
                throw_errno(fmt::format("read {}", what_.path));
    }

    /// Nothing of it is.
    void drop() const
    {
        if (what_.write && ::fsync(fd_.get()) != 0)
            throw_errno(fmt::format("fsync {}", what_.path));
        ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
    }

    /// Nanoseconds of an I/O when @p depth are in flight.
    [[nodiscard]] double cost(std::uint64_t size, unsigned depth) const
    {
        const auto kind = cell_of(what_, how_, size, depth);
        const measure::target on{fd_.get(), what_.span, memory_};
        const auto loop =
            how_ == way::mapped ? make_mapped_loop(kind, on) : measure::make_loop(kind, on);
        auto rounds = measure::measure(*loop, depth, what_.spent).nanoseconds;
        std::sort(rounds.begin(), rounds.end());
        return rounds[rounds.size() / 2];
    }

    [[nodiscard]] figure measure_at(const row& at) const
    {
        const double alone = cost(at.size, 1);
        const double many =
            how_ == way::asynchronous && at.iodepth > 1 ? cost(at.size, at.iodepth) : alone;
        return {alone, static_cast<double>(at.size) * 1e9 / many};
    }

private:
    const request& what_;
    way how_;
    std::span<std::byte> memory_;
    file_descriptor fd_;
};

void measure_way(survey& result, way how, std::uint64_t least, std::span<std::byte> memory,
                 const survey_control& control)
{
    const place there(result.what, how, memory);
    if (!is_direct(how)) there.warm();
    for (auto& at : result.rows) {
        if (is_stopped(control)) break;
        if (at.size < least) continue;
        if (control.progress) control.progress(how, at.size);
        at.ways[index_of(how)] = there.measure_at(at);
    }
    if (!is_direct(how)) there.drop();
}

std::vector<row> make_rows(const request& what)
{
    std::vector<row> rows;
    for (auto size = what.least; size <= what.most; size *= 2)
        rows.push_back({size, depth_at(what, size), {}});
    return rows;
}

}  // namespace

void check(const request& what)
{
    if (!std::has_single_bit(what.least) || !std::has_single_bit(what.most) ||
        what.least > what.most)
        throw usage_error("--bsrange goes from one power of two to the same or a greater one");
    if (what.most > what.span)
        throw usage_error(
            fmt::format("--size {} is less than one I/O of {} bytes", what.span, what.most));
    if (what.span % what.most != 0)
        throw usage_error(
            fmt::format("--size {} is no multiple of {}, the greatest I/O", what.span, what.most));
    if (what.backend != backend_kind::io_uring && what.backend != backend_kind::libaio)
        throw usage_error(fmt::format("--backend {} is not asynchronous; io_uring and libaio are",
                                      to_string(what.backend)));
}

survey run(const request& what, const survey_control& control)
{
    check(what);
    const auto node =
        device::open(what.path, what.write ? access::read_write : access::read_only, false);
    const auto& shape = node.shape();
    if (shape.size.value_or(0) < what.span)
        throw usage_error(fmt::format("{} has {} bytes; --size {} are to be measured", what.path,
                                      shape.size.value_or(0), what.span));
    survey result{what, make_rows(what), {}, false};
    std::size_t in_flight = warm_step;
    for (const auto& at : result.rows)
        in_flight = std::max<std::size_t>(in_flight, at.size * at.iodepth);
    const page_pool memory(page_kind::base, in_flight);
    for (const auto how : all_ways()) {
        if (is_stopped(control)) break;
        try {
            measure_way(result, how, is_direct(how) ? shape.logical_block_size : 1, memory.memory(),
                        control);
        } catch (const std::system_error& error) {
            if (!is_unknown(error)) throw;
            result.unavailable[how] = error.what();
        }
    }
    result.aborted = is_stopped(control);
    return result;
}

}  // namespace scullpin::modes
