// SPDX-License-Identifier: MIT
#include "target.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <random>

#include <fmt/core.h>

#include "claim.hpp"
#include "memory.hpp"
#include "scullpin/aligned_buffer.hpp"
#include "scullpin/error.hpp"
#include "scullpin/size.hpp"

namespace scullpin::stress {

namespace {

/// Of a large device, as much as a run visits often.
constexpr std::uint64_t default_span = std::uint64_t{64} << 20;

/// An ioctl that takes offset and length.
int zero_out(int fd, std::uint64_t offset, std::uint64_t length)
{
    std::uint64_t range[2] = {offset, length};
    return ::ioctl(fd, BLKZEROOUT, range) == 0 ? 0 : -errno;
}

int punch(int fd, std::uint64_t offset, std::uint64_t length)
{
    return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                       static_cast<off_t>(length)) == 0
               ? 0
               : -errno;
}

/// @return 0, or -errno of what the call throws
template <typename Call>
int errno_of(Call call)
{
    try {
        call();
    } catch (const std::system_error& error) {
        return -error.code().value();
    }
    return 0;
}

}  // namespace

target::target(const settings& wanted) : wanted_(wanted)
{
    const bool made = wanted.create && ::access(wanted.path.c_str(), F_OK) != 0;
    try {
        prepare();
    } catch (...) {
        if (made) ::unlink(wanted.path.c_str());
        throw;
    }
}

void target::prepare()
{
    open_path();
    choose_span();
    home_.device = std::hash<std::string>{}(wanted_.path);
    std::random_device unpredictable;
    home_.generation = (std::uint64_t{unpredictable()} << 32) | unpredictable();
    home_.length = static_cast<std::uint32_t>(can_.block_bytes);
    blocks = std::make_unique<model>(can_.blocks + wild_.count);
    find_abilities();
}

void target::open_path()
{
    const auto how = wanted_.write ? access::read_write : access::read_only;
    if (wanted_.write) held_fd_ = held_.add(wanted_.path);
    if (!wanted_.direct || wanted_.mixed)
        plain_ = device::open(wanted_.path, how, false, wanted_.create);
    if (wanted_.direct || wanted_.mixed)
        direct_ = device::open(wanted_.path, how, true, wanted_.create);
    const device& any = plain_ ? *plain_ : *direct_;
    if (any.shape().what == geometry::kind::stream)
        throw usage_error(
            fmt::format("{} is a stream: it has no places to come back to", wanted_.path));
    if (!any.shape().size && !wanted_.size)
        throw usage_error(fmt::format("{} has no size of its own: give --size", wanted_.path));
    if (wanted_.write) refuse_open_elsewhere(any);
}

void target::choose_span()
{
    const device& any = plain_ ? *plain_ : *direct_;
    const auto& shape = any.shape();
    offset_ = wanted_.offset;
    const bool grows = shape.what == geometry::kind::regular_file && wanted_.write && wanted_.size;
    const auto end = grows ? std::max(*shape.size, offset_ + *wanted_.size)
                           : shape.size.value_or(offset_ + wanted_.size.value_or(0));
    const auto room = end > offset_ ? end - offset_ : 0;
    const auto span = wanted_.size.value_or(std::min(room, default_span));
    can_.block_bytes = std::max<std::size_t>(shape.logical_block_size, 512);
    can_.address_unit = std::max<std::size_t>(shape.dma_alignment, 1);
    if (span > room)
        throw usage_error(fmt::format("{} has {} bytes from offset {}, not {}", wanted_.path, room,
                                      offset_, span));
    if (offset_ % can_.block_bytes != 0 || wanted_.most_bytes % can_.block_bytes != 0)
        throw usage_error(fmt::format("--offset and --bs must be multiples of {}, the blocks of {}",
                                      can_.block_bytes, wanted_.path));
    can_.blocks = static_cast<std::size_t>(span / can_.block_bytes);
    if (wanted_.has(event::kill) || wanted_.has(event::memcg))
        wild_.count = wanted_.write ? can_.blocks / 16 : 0;
    can_.blocks -= wild_.count;
    wild_.first = can_.blocks;
    can_.most_blocks = std::min(wanted_.most_bytes / can_.block_bytes, can_.blocks);
    if (can_.most_blocks == 0)
        throw usage_error(
            fmt::format("{} bytes are less than one block of {}", span, can_.block_bytes));
}

void target::find_abilities()
{
    const auto wants = [this](act what) {
        return wanted_.acts.empty() ||
               std::find(wanted_.acts.begin(), wanted_.acts.end(), what) != wanted_.acts.end();
    };
    if (wants(act::read)) can_.acts.push_back(act::read);
    if (wanted_.write) {
        if (wants(act::write)) can_.acts.push_back(act::write);
        if (wants(act::sync)) can_.acts.push_back(act::sync);
        if (wants(act::discard)) can_.acts.push_back(act::discard);
    }
    if (can_.acts.empty())
        throw usage_error("nothing is left to do: without --write only reads are");
    find_ways();
    find_memory();
}

void target::try_discard()
{
    const int error = discard({0, 1}, !plain_);
    if (error == 0) return;
    left_out.push_back({"discard", std::generic_category().message(-error)});
    std::erase(can_.acts, act::discard);
    if (can_.acts.empty())
        throw unavailable_error(fmt::format("nothing is left to do on {}: discard: {}",
                                            wanted_.path, left_out.back().reason));
}

void target::extend()
{
    const device& any = plain_ ? *plain_ : *direct_;
    const auto end = static_cast<off_t>(offset_of(can_.blocks + wild_.count));
    struct stat status {};
    if (::fstat(any.fd(), &status) != 0) throw_errno(fmt::format("fstat {}", wanted_.path));
    if (S_ISREG(status.st_mode) && status.st_size < end && ::ftruncate(any.fd(), end) != 0)
        throw_errno(fmt::format("make {} longer", wanted_.path));
}

bool target::can_map() const
{
    const int protection = wanted_.write ? PROT_READ | PROT_WRITE : PROT_READ;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    void* place = ::mmap(nullptr, 1, protection, MAP_SHARED, plain_->fd(),
                         static_cast<off_t>(offset_ / page * page));
    if (place == MAP_FAILED) return false;
    ::munmap(place, 1);
    return true;
}

void target::find_ways()
{
    std::vector<backend_kind> kinds = wanted_.backends;
    if (kinds.empty()) kinds.assign(all_backend_kinds().begin(), all_backend_kinds().end());
    for (const auto kind : kinds) {
        const bool maps = kind == backend_kind::mmap;
        if (maps && (!plain_ || !can_map())) {
            left_out.push_back({"mmap", !plain_ ? "the path is open with O_DIRECT only"
                                                : std::generic_category().message(errno)});
            continue;
        }
        try {
            static_cast<void>(make_backend(kind, (plain_ ? plain_ : direct_)->fd(), 1));
        } catch (const std::system_error& error) {
            left_out.push_back({to_string(kind), error.what()});
            continue;
        }
        if (plain_) can_.ways.push_back({kind, false});
        if (direct_ && !maps) can_.ways.push_back({kind, true});
    }
    if (can_.ways.empty())
        throw unavailable_error(
            fmt::format("no back end works on {}: {}", wanted_.path,
                        left_out.empty() ? "none was given" : left_out[0].reason));
}

void target::find_memory()
{
    std::vector<memory_kind> kinds = wanted_.memory;
    if (kinds.empty())
        kinds = {memory_kind::base, memory_kind::thp,    memory_kind::hugetlb,
                 memory_kind::file, memory_kind::shared, memory_kind::fixed};
    const bool ring = std::any_of(can_.ways.begin(), can_.ways.end(),
                                  [](const way& one) { return one.how == backend_kind::io_uring; });
    for (const auto kind : kinds) {
        try {
            // As much as all workers will ask for.
            const memory pages(kind, wanted_, wanted_.depth * std::max(wanted_.jobs, 1U));
            if (kind == memory_kind::fixed && ring)
                static_cast<void>(make_backend(backend_kind::io_uring,
                                               (plain_ ? plain_ : direct_)->fd(), 1, pages.all()));
            if (kind == memory_kind::fixed && !ring)
                left_out.push_back({"fixed memory", "only io_uring has it"});
            else
                can_.memory.push_back(kind);
        } catch (const std::system_error& error) {
            left_out.push_back({fmt::format("{} memory", to_string(kind)), error.what()});
        }
    }
    if (can_.memory.empty())
        throw unavailable_error(
            fmt::format("no kind of memory is to be had: {}", left_out.back().reason));
}

void target::fill()
{
    const device& any = plain_ ? *plain_ : *direct_;
    extend();
    if (std::find(can_.acts.begin(), can_.acts.end(), act::discard) != can_.acts.end())
        try_discard();
    const auto requests_of = make_backend(backend_kind::sync, any.fd(), 1);
    const std::size_t all = can_.blocks + wild_.count;
    const aligned_buffer buffer(can_.most_blocks * can_.block_bytes);
    std::vector<completion> ended;
    for (std::size_t at = 0; at < all && !(wanted_.stop != nullptr && *wanted_.stop);) {
        const extent where{at, std::min(can_.most_blocks, all - at)};
        const auto sequence = blocks->begin_write(where, version::kind::block, wanted_.jobs);
        const auto bytes = buffer.span().first(where.count * can_.block_bytes);
        for (std::size_t i = 0; i < where.count; i++) {
            auto who = home(at + i);
            who.sequence = sequence;
            who.writer = wanted_.jobs;
            fill_block(bytes.subspan(i * can_.block_bytes, can_.block_bytes), who);
        }
        const operation op{direction::write, offset_of(at), bytes, 0};
        requests_of->submit({&op, 1});
        ended.clear();
        requests_of->reap(ended, 1);
        const auto result = ended.at(0).result;
        // A disk that gets full takes a part, and says so of the rest.
        if (result != static_cast<std::int64_t>(bytes.size()))
            throw_error(
                result < 0 ? static_cast<int>(-result) : ENOSPC,
                fmt::format("write {} bytes at {} of {}", bytes.size(), op.offset, wanted_.path));
        blocks->end_write(where, sequence, where.count);
        at += where.count;
    }
}

identity target::home(std::size_t block) const
{
    identity who = home_;
    who.offset = offset_of(block);
    return who;
}

std::uint64_t target::offset_of(std::size_t block) const
{
    return offset_ + std::uint64_t{block} * can_.block_bytes;
}

double target::seconds() const
{
    return std::chrono::duration<double>(clock::now() - begun_).count();
}

void target::report(problem what)
{
    const std::lock_guard hold(lock_);
    if (what.kind == "lost") lost_ = true;
    problems_.push_back(std::move(what));
    ended_ = true;
}

std::size_t target::problems() const
{
    const std::lock_guard hold(lock_);
    return problems_.size();
}

std::optional<std::uint64_t> target::take_number()
{
    const auto number = ++numbers_;
    if (wanted_.ops && number > *wanted_.ops) return std::nullopt;
    return number;
}

int target::discard(extent where, bool direct) const
{
    const device& on = open(direct);
    const auto offset = offset_of(where.first);
    const std::uint64_t length = std::uint64_t{where.count} * can_.block_bytes;
    switch (on.shape().what) {
    case geometry::kind::block_device: return zero_out(held_fd_, offset, length);
    case geometry::kind::regular_file: return punch(on.fd(), offset, length);
    default: break;
    }
    return errno_of([&] { on.discard(offset, length); });
}

int target::sync(bool direct) const
{
    return errno_of([&] { open(direct).sync(); });
}

outcome target::result() const
{
    const std::lock_guard hold(lock_);
    outcome all;
    all.path = wanted_.path;
    all.offset = offset_;
    all.block_bytes = can_.block_bytes;
    all.span_bytes = (can_.blocks + wild_.count) * std::uint64_t{can_.block_bytes};
    all.seed = wanted_.seed;
    all.seconds = seconds();
    all.left_out = left_out;
    all.problems = problems_;
    all.lost = lost_;
    return all;
}

}  // namespace scullpin::stress
