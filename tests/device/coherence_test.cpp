// SPDX-License-Identifier: MIT
// The five ways to the medium, mixed: cached, synchronous, mapped, direct and asynchronous, by
// several processes, against a model in memory.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "adversary.hpp"
#include "aio.hpp"
#include "cached.hpp"
#include "child.hpp"
#include "fixture.hpp"
#include "mapping.hpp"
#include "memory.hpp"
#include "scullpin/aio_context.hpp"
#include "scullpin/device.hpp"

namespace {

constexpr std::size_t processes = 3;
/// What a process owns lies between what the others own: their readahead and write-back touch it.
constexpr std::size_t chunk = 8 * page_size;
constexpr std::size_t chunks_each = 6;
constexpr std::size_t area = processes * chunks_each * chunk;

/// One of the processes: makes operations up and knows what every byte of its chunks must be. What
/// it does depends on the seed and its number alone.
class adversary {
public:
    adversary(std::uint64_t seed, std::size_t number)
        : number_(number),
          generator_(seed * 1000 + number),
          plain_(device_fixture::open_node()),
          direct_(device_fixture::open_direct()),
          sync_(device_fixture::open_node(O_DSYNC)),
          node_(scullpin::device::open(node_path, scullpin::access::read_write, false)),
          mapped_(plain_.get(), area),
          block_(attribute("logical_block_size")),
          model_(chunks_each, std::vector<std::byte>(chunk))
    {
    }

    /// @return what was wrong, or nothing
    std::string run(std::chrono::duration<double> time)
    {
        const auto end = std::chrono::steady_clock::now() + time;
        while (wrong_.empty() && std::chrono::steady_clock::now() < end) one_step();
        finish_flight();
        for (std::size_t i = 0; wrong_.empty() && i < chunks_each; i++) {
            whole_of(i);
            read_mapped();
            read_by(plain_.get(), "plain read at the end");
            read_by(direct_.get(), "direct read at the end");
        }
        return wrong_;
    }

    [[nodiscard]] std::uint64_t steps() const { return step_; }

private:
    std::size_t pick(std::size_t below) { return static_cast<std::size_t>(generator_() % below); }

    /// Where the next operation is: a part of a chunk, of whole @p unit.
    void choose(std::size_t unit)
    {
        do index_ = pick(chunks_each);
        while (flight_ && flight_->index == index_);
        at_ = pick(chunk / unit) * unit;
        const std::size_t most = pick(3) == 0 ? chunk - at_ : std::min(chunk - at_, 2 * page_size);
        length_ = std::max(unit, pick(most / unit + 1) * unit);
    }
    void whole_of(std::size_t index)
    {
        index_ = index;
        at_ = 0;
        length_ = chunk;
    }
    [[nodiscard]] std::size_t position() const
    {
        return (index_ * processes + number_) * chunk + at_;
    }
    [[nodiscard]] std::span<std::byte> expected()
    {
        return std::span(model_[index_]).subspan(at_, length_);
    }
    void fail(const char* what, const std::string& how)
    {
        if (wrong_.empty())
            wrong_ = fmt::format("process {} step {}: {} of {} at {} (chunk {} + {}): {}", number_,
                                 step_, what, length_, position(), index_, at_, how);
    }
    void check(const char* what, std::span<const std::byte> got)
    {
        const auto right = expected();
        for (std::size_t i = 0; i < got.size(); i++)
            if (got[i] != right[i])
                return fail(what, fmt::format("byte {} is {:#x}, not {:#x}", i,
                                              static_cast<unsigned>(got[i]),
                                              static_cast<unsigned>(right[i])));
    }
    void moved(const char* what, std::int64_t result)
    {
        if (result != static_cast<std::int64_t>(length_))
            fail(what, fmt::format("{} ({})", result, result < 0 ? errno : 0));
    }

    std::span<std::byte> new_bytes()
    {
        const auto bytes = buffer_.span().first(length_);
        const auto word = generator_();
        for (std::size_t i = 0; i < length_; i++)
            bytes[i] = static_cast<std::byte>(word >> (i % 8 * 8)) ^ static_cast<std::byte>(i >> 3);
        return bytes;
    }
    void read_by(int fd, const char* what)
    {
        const auto bytes = buffer_.span().first(length_);
        std::fill(bytes.begin(), bytes.end(), std::byte{0xee});
        moved(what, ::pread(fd, bytes.data(), length_, static_cast<off_t>(position())));
        check(what, bytes);
    }
    void write_by(int fd, const char* what, int flags = 0)
    {
        const auto bytes = new_bytes();
        const iovec segment{bytes.data(), length_};
        moved(what, ::pwritev2(fd, &segment, 1, static_cast<off_t>(position()), flags));
        std::copy(bytes.begin(), bytes.end(), expected().begin());
    }
    void read_mapped() { check("load", {mapped_.data() + position(), length_}); }
    void write_mapped()
    {
        const auto bytes = new_bytes();
        std::copy(bytes.begin(), bytes.end(), mapped_.data() + position());
        std::copy(bytes.begin(), bytes.end(), expected().begin());
    }
    void discard()
    {
        node_.discard(position(), length_);
        std::fill(expected().begin(), expected().end(), std::byte{0});
    }
    /// Own mapping as the memory of direct I/O: from one chunk to another.
    void copy_by_mapping()
    {
        const std::size_t from = index_, from_at = at_ / page_size * page_size;
        length_ = std::min(chunk - from_at, 2 * page_size);
        const std::size_t source = (from * processes + number_) * chunk + from_at;
        const std::vector<std::byte> bytes(
            model_[from].begin() + static_cast<long>(from_at),
            model_[from].begin() + static_cast<long>(from_at + length_));
        const auto length = length_;
        choose(page_size);
        at_ = std::min(at_, chunk - length);
        length_ = length;
        // Overlap within a chunk is as undefined as that of memcpy.
        if (index_ == from && at_ < from_at + length && from_at < at_ + length) return;
        moved("direct write from the mapping", ::pwrite(direct_.get(), mapped_.data() + source,
                                                        length_, static_cast<off_t>(position())));
        std::copy(bytes.begin(), bytes.end(), expected().begin());
    }

    /// An asynchronous direct request; others go on meanwhile, in other chunks.
    void begin_flight(bool write)
    {
        flight_.emplace(flight{index_, at_, length_, write, {}});
        const auto bytes = flight_buffer_.span().first(length_);
        if (write) {
            const auto source = new_bytes();
            std::copy(source.begin(), source.end(), bytes.begin());
        }
        flight_->request = aio::request(direct_.get(), write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
                                        bytes.data(), length_, position());
        iocb* pointer = &flight_->request;
        if (context_.submit({&pointer, 1}) != 1) fail("io_submit", "refused");
    }
    void finish_flight()
    {
        if (!flight_) return;
        std::array<io_event, 1> event{};
        const auto deadline = scullpin::aio_context::clock::now() + std::chrono::seconds(20);
        const auto got = context_.wait(event, 1, deadline);
        index_ = flight_->index;
        at_ = flight_->at;
        length_ = flight_->length;
        const bool write = flight_->write;
        flight_.reset();
        if (got != 1) return fail("asynchronous request", "it does not end");
        const auto bytes = flight_buffer_.span().first(length_);
        if (event[0].res != static_cast<std::int64_t>(length_))
            return fail("asynchronous request", fmt::format("{}", event[0].res));
        if (write)
            std::copy(bytes.begin(), bytes.end(), expected().begin());
        else
            check("asynchronous direct read", bytes);
    }

    void one_step()
    {
        step_++;
        const auto kind = pick(24);
        // What needs whole blocks: direct I/O and discard.
        choose(kind >= 10 && kind < 18 ? block_ : 1);
        switch (kind) {
        case 0:
        case 1:
        case 2: return read_by(plain_.get(), "plain read");
        case 3:
        case 4: return write_by(plain_.get(), "plain write");
        case 5: return write_by(sync_.get(), "synchronous write");
        case 6: return write_by(plain_.get(), "synchronous write by its flag", RWF_DSYNC);
        case 7: return read_mapped();
        case 8:
        case 9: return write_mapped();
        case 10:
        case 11:
        case 12: return read_by(direct_.get(), "direct read");
        case 13:
        case 14: return write_by(direct_.get(), "direct write");
        case 15:
        case 16: finish_flight(); return wrong_.empty() ? begin_flight(kind == 15) : void();
        case 17: return pick(3) == 0 ? discard() : void();
        case 18: return copy_by_mapping();
        case 19:
            if (::msync(mapped_.data() + position() / page_size * page_size, page_size,
                        pick(2) == 0 ? MS_SYNC : MS_ASYNC) != 0)
                fail("msync", "refused");
            return;
        case 20: return ::fdatasync(plain_.get()) != 0 ? fail("fdatasync", "refused") : void();
        case 21:
            ::posix_fadvise(plain_.get(), static_cast<off_t>(position()),
                            static_cast<off_t>(length_),
                            pick(2) == 0 ? POSIX_FADV_DONTNEED : POSIX_FADV_WILLNEED);
            return;
        case 22:
            // The last reference to a page may be a page table's.
            ::madvise(mapped_.data() + position() / page_size * page_size, page_size,
                      MADV_DONTNEED);
            return;
        default: return finish_flight();
        }
    }

    struct flight {
        std::size_t index, at, length;
        bool write;
        iocb request;
    };

    std::size_t number_;
    std::mt19937_64 generator_;
    scullpin::file_descriptor plain_, direct_, sync_;
    scullpin::device node_;
    view mapped_;
    std::size_t block_;
    std::vector<std::vector<std::byte>> model_;
    memory buffer_{chunk / page_size}, flight_buffer_{chunk / page_size};
    scullpin::aio_context context_{1};
    std::optional<flight> flight_;
    std::size_t index_ = 0, at_ = 0, length_ = 0;
    std::uint64_t step_ = 0;
    std::string wrong_;
};

struct verdict {
    std::uint64_t steps;
    std::array<char, 500> wrong;
};

}  // namespace

TEST_CASE_METHOD(
    device_fixture,
    "five ways to the medium, mixed by several processes, agree with a model in memory",
    "[coherence][adversary]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    discard_all();
    const char* given = std::getenv("SCULLPIN_ADVERSARY_SEED");
    const std::uint64_t seed =
        given != nullptr ? std::strtoull(given, nullptr, 10) : Catch::getSeed();
    INFO("again with: SCULLPIN_ADVERSARY_SEED=" << seed);
    const mapping shared(page_size, MAP_SHARED | MAP_ANONYMOUS);
    auto* verdicts = reinterpret_cast<verdict*>(shared.data());
    static_assert(sizeof(verdict) * processes <= page_size);
    std::array<pid_t, processes> children{};
    for (std::size_t number = 0; number < processes; number++)
        children[number] = in_child([&] {
            adversary one(seed, number);
            const auto wrong = one.run(std::chrono::duration<double>(adversary_duration()) / 2);
            verdicts[number].steps = one.steps();
            std::strncpy(verdicts[number].wrong.data(), wrong.c_str(),
                         verdicts[number].wrong.size() - 1);
        });
    for (std::size_t number = 0; number < processes; number++) {
        CHECK(wait_for(children[number],
                       60.0 + static_cast<double>(adversary_duration().count())) == 0);
        CHECK(std::string(verdicts[number].wrong.data()) == "");
        CHECK(verdicts[number].steps > 20);
    }
}

TEST_CASE_METHOD(device_fixture,
                 "writes that end on pages under write-back do not keep these from their end",
                 "[cache]")
{
    // More than the kernel gives a work queue workers.
    constexpr std::size_t count = 1100;
    const setting latency("latency_us", "1000000");
    const gain late("timed_out"), lost("cache_lost");
    const auto direct = open_direct(), plain = open_node();
    const memory one(1), buffer(count);
    scullpin::aio_context context(count);
    submit_to_each_page(context, direct.get(), one.span(), count);
    fill_random(buffer.span(), 551);
    REQUIRE(::pwrite(plain.get(), buffer.data(), buffer.size(), 0) ==
            static_cast<ssize_t>(buffer.size()));
    CHECK(::fsync(plain.get()) == 0);
    std::vector<io_event> events(count);
    CHECK(context.wait(events, count,
                       scullpin::aio_context::clock::now() + std::chrono::seconds(30)) == count);
    for (const auto& event : events) REQUIRE(event.res == page_size);
    CHECK(late.value() == 0);
    CHECK(lost.value() == 0);
}
