// SPDX-License-Identifier: MIT
#include "overlap/source.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include <fmt/core.h>

#include "scullpin/aligned_buffer.hpp"
#include "scullpin/error.hpp"
#include "scullpin/mapping.hpp"

namespace scullpin::overlap {

namespace {

file_descriptor open_as(way how, const request& what)
{
    return file_descriptor::open(what.path, O_RDONLY | open_flags(how));
}

/// @param result bytes or -errno
void check_result(std::int64_t result, const request& what, std::uint64_t offset)
{
    const auto context =
        fmt::format("read {} bytes at {} of {}", what.block_bytes, offset, what.path);
    if (result < 0) throw_error(static_cast<int>(-result), context);
    if (static_cast<std::uint64_t>(result) < what.block_bytes)
        throw_error(EIO, fmt::format("{}: only {} came", context, result));
}

/// One read(2) a block.
class reading_source : public source {
public:
    reading_source(way how, const request& what)
        : what_(what), fd_(open_as(how, what)), buffer_(what.block_bytes)
    {
    }

    std::span<const std::byte> next() override
    {
        const auto memory = buffer_.span().first(what_.block_bytes);
        std::int64_t got = 0;
        do got = ::pread(fd_.get(), memory.data(), memory.size(), static_cast<off_t>(offset_));
        while (got < 0 && errno == EINTR);
        check_result(got < 0 ? -errno : got, what_, offset_);
        offset_ += what_.block_bytes;
        return memory;
    }

private:
    const request& what_;
    file_descriptor fd_;
    aligned_buffer buffer_;
    std::uint64_t offset_ = 0;
};

/// The pages of the mapping itself, each there when its block is given.
class mapped_source : public source {
public:
    mapped_source(const request& what, std::uint64_t blocks)
        : what_(what),
          mapping_(open_as(way::mapped, what).get(), blocks * what.block_bytes, PROT_READ,
                   "map " + what.path)
    {
    }

    std::span<const std::byte> next() override
    {
        const auto block = mapping_.bytes().subspan(offset_, what_.block_bytes);
        fault_in(block);
        offset_ += what_.block_bytes;
        return block;
    }

private:
    /// As a load from each page, but one that cannot be had is an error, not a signal.
    void fault_in(std::span<std::byte> block) const
    {
        const auto page = mapping::page_bytes();
        const auto skip = offset_ % page;
        if (::madvise(block.data() - skip, block.size() + skip, MADV_POPULATE_READ) != 0)
            throw_errno(fmt::format("fault in {} bytes at {} of the mapping of {}", block.size(),
                                    offset_, what_.path));
    }

    const request& what_;
    mapping mapping_;
    std::size_t offset_ = 0;
};

/// Blocks in flight while the caller has one. Buffers take turns: one more than are in flight.
class submitting_source : public source {
public:
    submitting_source(const request& what, std::uint64_t blocks, backend_kind backend)
        : what_(what),
          blocks_(blocks),
          fd_(open_as(way::asynchronous, what)),
          ended_(what.iodepth + std::size_t{1})
    {
        for (std::size_t i = 0; i < ended_.size(); i++) buffers_.emplace_back(what.block_bytes);
        requests_ = make_backend(backend, fd_.get(), what.iodepth);
    }

    std::span<const std::byte> next() override
    {
        while (submitted_ < std::min(given_ + what_.iodepth, blocks_)) submit();
        const auto slot = given_ % ended_.size();
        while (!ended_[slot]) reap();
        given_++;
        if (submitted_ < blocks_) submit();
        return memory_of(slot);
    }

private:
    [[nodiscard]] std::span<std::byte> memory_of(std::size_t slot) const
    {
        return buffers_[slot].span().first(what_.block_bytes);
    }

    void submit()
    {
        const auto slot = submitted_ % ended_.size();
        ended_[slot] = false;
        const operation op{direction::read, submitted_ * what_.block_bytes, memory_of(slot),
                           submitted_};
        requests_->submit({&op, 1});
        submitted_++;
    }

    void reap()
    {
        completions_.clear();
        requests_->reap(completions_, 1);
        for (const auto& end : completions_) {
            check_result(end.result, what_, end.tag * what_.block_bytes);
            ended_[end.tag % ended_.size()] = true;
        }
    }

    const request& what_;
    std::uint64_t blocks_;
    std::uint64_t submitted_ = 0;
    std::uint64_t given_ = 0;
    file_descriptor fd_;
    std::vector<aligned_buffer> buffers_;
    std::vector<bool> ended_;  ///< by buffer
    std::vector<completion> completions_;
    std::unique_ptr<backend> requests_;  ///< last: gone before the memory is
};

}  // namespace

std::unique_ptr<source> make_source(way how, const request& what, std::uint64_t blocks,
                                    backend_kind backend)
{
    switch (how) {
    case way::mapped: return std::make_unique<mapped_source>(what, blocks);
    case way::asynchronous: return std::make_unique<submitting_source>(what, blocks, backend);
    case way::cached:
    case way::synchronous:
    case way::direct: break;
    }
    return std::make_unique<reading_source>(how, what);
}

}  // namespace scullpin::overlap
