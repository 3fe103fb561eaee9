// SPDX-License-Identifier: MIT
#include "scullpin/transfer.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>

#include <fmt/core.h>

#include "scullpin/aligned_buffer.hpp"
#include "scullpin/error.hpp"

namespace scullpin {

namespace {

/// One of the two places of a transfer, with the requests on it.
struct side {
    const endpoint& place;
    direction dir;
    std::uint64_t base;  ///< offset of the transfer's first byte
    std::unique_ptr<backend> requests;
};

[[noreturn]] void fail(const side& where, std::uint64_t at, std::int64_t result)
{
    const char* verb = where.dir == direction::read ? "read" : "write";
    const auto text =
        fmt::format("{} {} at offset {}", verb, where.place.main.path(), where.base + at);
    if (result == 0) throw std::runtime_error(text + ": the end came too early");
    throw_error(static_cast<int>(-result), text);
}

/// Moves bytes one call after the other, for what the back end cannot: tails and rests of short
/// transfers.
void move_plainly(const side& where, std::uint64_t at, std::span<std::byte> memory)
{
    while (!memory.empty()) {
        const auto offset = static_cast<off_t>(where.base + at);
        const int fd = where.place.plain_fd();
        const ssize_t moved = where.dir == direction::read
                                  ? ::pread(fd, memory.data(), memory.size(), offset)
                                  : ::pwrite(fd, memory.data(), memory.size(), offset);
        if (moved < 0 && errno == EINTR) continue;
        if (moved <= 0) fail(where, at, moved < 0 ? -errno : 0);
        memory = memory.subspan(static_cast<std::size_t>(moved));
        at += static_cast<std::uint64_t>(moved);
    }
}

/// One block on its way. A copy has one buffer, read then written; a comparison has two.
struct slot {
    std::array<aligned_buffer, 2> buffers;
    std::uint64_t at = 0;
    std::size_t length = 0;
    unsigned waiting = 0;  ///< requests in flight for it
};

class pipeline {
public:
    pipeline(const endpoint& first, const endpoint& second, const transfer_options& options,
             bool compare)
        : options_(options),
          compare_(compare),
          slots_(make_slots(options, compare)),
          sides_{side{first, direction::read, options.source_offset, nullptr},
                 side{second, compare ? direction::read : direction::write, options.target_offset,
                      nullptr}}
    {
        aligned_end_ = options.length;
        for (auto& where : sides_) {
            const auto& device = where.place.main;
            if (device.is_direct()) restrict_to(device, where.base);
            where.requests = make_backend(options.backend, device.fd(), options.iodepth);
        }
        for (std::size_t i = 0; i < slots_.size(); i++) free_.push_back(i);
    }

    transfer_result run()
    {
        while (!finished()) {
            fill();
            collect();
        }
        if (!result_.stopped && !result_.mismatch && aligned_end_ < options_.length) move_tail();
        return result_;
    }

private:
    static std::vector<slot> make_slots(const transfer_options& options, bool compare)
    {
        if (options.block_size == 0 || options.iodepth == 0)
            throw usage_error("block size and depth must be above 0");
        std::vector<slot> slots;
        for (unsigned i = 0; i < options.iodepth; i++)
            slots.push_back({{aligned_buffer(options.block_size),
                              aligned_buffer(compare ? options.block_size : 1)}});
        return slots;
    }

    void restrict_to(const device& target, std::uint64_t base)
    {
        const auto block = target.shape().logical_block_size;
        if (options_.block_size % block != 0 || base % block != 0)
            throw usage_error(
                fmt::format("{} moves blocks of {} bytes: block size {} and offset {} "
                            "must be multiples of it",
                            target.path(), block, options_.block_size, base));
        aligned_end_ = std::min(aligned_end_, options_.length / block * block);
    }

    [[nodiscard]] bool in_flight() const { return free_.size() < slots_.size(); }

    [[nodiscard]] bool finished()
    {
        if (options_.stop != nullptr && options_.stop->load()) result_.stopped = true;
        if (in_flight()) return false;
        return result_.stopped || result_.mismatch || next_ >= aligned_end_;
    }

    void fill()
    {
        while (!result_.stopped && !result_.mismatch && next_ < aligned_end_ && !free_.empty()) {
            slot& block = slots_[free_.front()];
            block.at = next_;
            block.length = static_cast<std::size_t>(
                std::min<std::uint64_t>(options_.block_size, aligned_end_ - next_));
            next_ += block.length;
            start(0, free_.front());
            if (compare_) start(1, free_.front());
            free_.pop_front();
        }
    }

    void start(std::size_t which, std::size_t index)
    {
        slot& block = slots_[index];
        const operation op{sides_[which].dir, sides_[which].base + block.at,
                           memory_of(block, which), index};
        block.waiting++;
        sides_[which].requests->submit({&op, 1});
        if (which == 1) result_.requests++;
    }

    [[nodiscard]] std::span<std::byte> memory_of(const slot& block, std::size_t which) const
    {
        return block.buffers[compare_ ? which : 0].span().first(block.length);
    }

    /// Waits for something to end, but not so long that a signal goes unnoticed.
    void collect()
    {
        using namespace std::chrono_literals;
        const bool both =
            sides_[0].requests->in_flight() > 0 && sides_[1].requests->in_flight() > 0;
        for (std::size_t which = 0; which < sides_.size(); which++) {
            backend& requests = *sides_[which].requests;
            if (requests.in_flight() == 0) continue;
            ended_.clear();
            requests.reap(ended_, 1, backend::clock::now() + (both ? 1ms : 100ms));
            for (const auto& end : ended_) finish(which, end);
        }
    }

    void finish(std::size_t which, const completion& end)
    {
        slot& block = slots_[end.tag];
        const side& where = sides_[which];
        if (end.result <= 0) fail(where, block.at, end.result);
        const auto done = static_cast<std::size_t>(end.result);
        move_plainly(where, block.at + done, memory_of(block, which).subspan(done));
        block.waiting--;
        if (!compare_ && which == 0) {
            start(1, end.tag);
            return;
        }
        if (block.waiting > 0) return;
        if (compare_) check(block.at, memory_of(block, 0), memory_of(block, 1));
        free_.push_back(end.tag);
        result_.bytes += block.length;
        if (options_.progress) options_.progress(result_.bytes);
    }

    void check(std::uint64_t at, std::span<const std::byte> first,
               std::span<const std::byte> second)
    {
        const auto [differs, unused] = std::mismatch(first.begin(), first.end(), second.begin());
        if (differs == first.end()) return;
        const auto offset = at + static_cast<std::uint64_t>(differs - first.begin());
        result_.mismatch = std::min(result_.mismatch.value_or(offset), offset);
    }

    /// What is shorter than a logical block of a direct device.
    void move_tail()
    {
        const auto length = static_cast<std::size_t>(options_.length - aligned_end_);
        const aligned_buffer first(length), second(length);
        move_plainly(sides_[0], aligned_end_, first.span().first(length));
        move_plainly(sides_[1], aligned_end_, (compare_ ? second : first).span().first(length));
        result_.requests++;
        result_.bytes += length;
        if (compare_) check(aligned_end_, first.span().first(length), second.span().first(length));
    }

    const transfer_options& options_;
    bool compare_;
    std::vector<slot> slots_;  // before the back ends: these wait in their destructors
    std::array<side, 2> sides_;
    std::deque<std::size_t> free_;
    std::vector<completion> ended_;
    std::uint64_t next_ = 0;
    std::uint64_t aligned_end_ = 0;
    transfer_result result_;
};

}  // namespace

endpoint endpoint::open(const std::string& path, access how, bool direct, bool create)
{
    endpoint place{device::open(path, how, false, create), std::nullopt};
    if (direct && place.main.shape().what != geometry::kind::regular_file) {
        place.plain = std::move(place.main);
        place.main = device::open(path, how, true);
    }
    return place;
}

transfer_result copy(const endpoint& source, const endpoint& target,
                     const transfer_options& options)
{
    return pipeline(source, target, options, false).run();
}

transfer_result verify(const endpoint& first, const endpoint& second,
                       const transfer_options& options)
{
    return pipeline(first, second, options, true).run();
}

}  // namespace scullpin
