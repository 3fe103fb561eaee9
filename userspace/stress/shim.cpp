// SPDX-License-Identifier: MIT
#include "shim.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "mismatch.hpp"

namespace scullpin::stress {

namespace {

class shim : public backend {
public:
    shim(fault what, std::unique_ptr<backend> real, const target& on)
        : what_(what),
          real_(std::move(real)),
          on_(on),
          block_(on.can().block_bytes),
          home_(on.home(0))
    {
    }

    void submit(std::span<const operation> operations) override
    {
        for (const auto& op : operations) {
            operation real = op;
            if (!victim_ && fits(op)) {
                victim_ = op;
                if (what_ == fault::stuck) hold_up();
                if (op.dir == direction::write)
                    spoil_write(real);
                else if (what_ == fault::shortened || what_ == fault::cut)
                    real.memory = real.memory.first(real.memory.size() - block_ / 2);
                else if (what_ == fault::misdirected)
                    real.offset = op.offset >= home_.offset + block_ ? op.offset - block_
                                                                     : op.offset + block_;
                real.segments = {};
            }
            real_->submit({&real, 1});
            in_flight_++;
        }
    }

    std::size_t reap(std::vector<completion>& completions, std::size_t min,
                     clock::time_point deadline) override
    {
        const std::size_t before = completions.size();
        real_->reap(completions, min, deadline);
        for (std::size_t i = before; i < completions.size(); i++)
            if (victim_ && completions[i].tag == victim_->tag) {
                spoil_end(completions, i, *std::exchange(victim_, std::nullopt));
                break;
            }
        const std::size_t count = completions.size() - before;
        in_flight_ -= std::min(count, in_flight_);
        return count;
    }

    void cancel(std::uint64_t tag) override { real_->cancel(tag); }

private:
    /// Of the request that is lied about, the second half of the first block, or all of it.
    [[nodiscard]] bool fits(const operation& op)
    {
        const bool write = what_ == fault::stale || what_ == fault::torn;
        const bool any = what_ == fault::lost || what_ == fault::doubled || what_ == fault::stuck;
        if (!any && write != (op.dir == direction::write)) return false;
        // A write that is lost is seen when there was another one before: not the very first.
        return op.memory.size() >= 2 * block_ && ++seen_ % 20 == 0;
    }

    void hold_up() const
    {
        using namespace std::chrono_literals;
        while (!on_.lost()) std::this_thread::sleep_for(10ms);
        std::this_thread::sleep_for(3s);
    }

    /// Only so much of a write arrives.
    void spoil_write(operation& real) const
    {
        if (what_ == fault::stale) real.memory = real.memory.first(block_);
        if (what_ == fault::torn) real.memory = real.memory.first(real.memory.size() - block_ / 2);
    }

    void spoil_end(std::vector<completion>& completions, std::size_t at, const operation& victim)
    {
        auto& end = completions[at];
        const auto memory = victim.memory;
        const auto fill = [&](std::byte value) {
            std::fill_n(memory.begin() + static_cast<std::ptrdiff_t>(block_), block_, value);
        };
        if (what_ == fault::cut) return;
        end.result = static_cast<std::int64_t>(memory.size());
        if (what_ == fault::spilled) end.result -= static_cast<std::int64_t>(block_ / 2);
        if (what_ == fault::zeros) fill(std::byte{0});
        if (what_ == fault::poison) fill(poison_byte);
        if (what_ == fault::changed) memory[block_] ^= std::byte{1};
        if (what_ == fault::overrun) *(memory.data() + memory.size()) = std::byte{1};
        if (what_ == fault::foreign) {
            auto who = home_;
            who.generation++;
            who.offset = victim.offset;
            fill_block(memory.first(block_), who);
        }
        if (what_ == fault::lost) completions.erase(completions.begin() + std::ptrdiff_t(at));
        if (what_ == fault::doubled) completions.push_back(completion(end));
    }

    fault what_;
    std::unique_ptr<backend> real_;
    const target& on_;
    std::size_t block_;
    identity home_;
    unsigned seen_ = 0;
    std::optional<operation> victim_{};  ///< that is lied about, in flight
};

}  // namespace

std::unique_ptr<backend> plant(fault what, std::unique_ptr<backend> real, const target& on)
{
    return std::make_unique<shim>(what, std::move(real), on);
}

}  // namespace scullpin::stress
