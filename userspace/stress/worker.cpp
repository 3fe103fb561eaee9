// SPDX-License-Identifier: MIT
#include "worker.hpp"

#include <algorithm>
#include <cstring>

#include <xxhash.h>

#include <fmt/core.h>

#include "shim.hpp"
#include "scullpin/error.hpp"

namespace scullpin::stress {

namespace {

using namespace std::chrono_literals;

std::string name_of(const way& by)
{
    return std::string(to_string(by.how)) + (by.direct ? "-direct" : "");
}

}  // namespace

worker::worker(target& on, const settings& wanted, unsigned index)
    : on_(on), wanted_(wanted), index_(index), plan_(wanted, on.can(), index), slots_(wanted.depth)
{
    // What is not for registered memory goes to base pages.
    memory_.try_emplace(memory_kind::base, memory_kind::base, wanted, wanted.depth);
    for (const auto kind : on.can().memory) memory_.try_emplace(kind, kind, wanted, wanted.depth);
    const auto fixed = memory_.find(memory_kind::fixed);
    for (const auto& by : on.can().ways) {
        const bool registers = by.how == backend_kind::io_uring && fixed != memory_.end();
        auto made = make_backend(by.how, on.open(by.direct).fd(), wanted.depth,
                                 registers ? fixed->second.all() : std::span<std::byte>{});
        if (wanted.plant) made = plant(*wanted.plant, std::move(made), on);
        backends_.emplace_back(by, std::move(made));
    }
}

tally worker::did() const
{
    tally all = did_;
    for (const auto& [by, one] : backends_) all.cancelled += one->cancelled();
    return all;
}

std::vector<std::span<std::byte>> worker::all_memory() const
{
    std::vector<std::span<std::byte>> all;
    for (const auto& [kind, pages] : memory_) all.push_back(pages.all());
    return all;
}

std::vector<std::span<std::byte>> worker::private_memory() const
{
    std::vector<std::span<std::byte>> all;
    for (const auto& [kind, pages] : memory_)
        if (kind == memory_kind::base || kind == memory_kind::thp) all.push_back(pages.all());
    return all;
}

void worker::run()
{
    while (!on_.ended()) step();
    // What is in flight still writes to memory: it is waited for, and compared, too.
    while (in_flight() > 0) {
        reap();
        look_for_lost();
        if (on_.lost()) return;
    }
}

void worker::step()
{
    while (in_flight() < wanted_.depth && !on_.ended()) {
        const auto number = on_.take_number();
        if (!number) {
            on_.end();
            break;
        }
        begin(*number);
    }
    reap();
    look_for_lost();
}

backend& worker::backend_of(const way& by)
{
    const auto found = std::find_if(backends_.begin(), backends_.end(),
                                    [&](const auto& one) { return one.first == by; });
    return *found->second;
}

void worker::begin(std::uint64_t number)
{
    request what;
    what.step = plan_.next();
    what.number = number;
    what.worker = index_;
    what.offset = on_.offset_of(what.step.where.first);
    if (what.step.what != act::sync) what.length = what.step.where.count * on_.can().block_bytes;
    what.begun_s = on_.seconds();
    did_.by_act[to_string(what.step.what)]++;
    if (what.step.what == act::sync || what.step.what == act::discard) {
        act_at_once(what);
        return;
    }
    const auto free =
        std::find_if(slots_.begin(), slots_.end(), [](const slot& one) { return !one.busy; });
    free->what = what;
    begin_transfer(*free, static_cast<std::size_t>(free - slots_.begin()));
}

void worker::begin_transfer(slot& free, std::size_t index)
{
    auto& step = free.what.step;
    free.busy = true;
    free.memory = memory_.at(step.memory).place(index, step.shift, free.what.length);
    free.segments.clear();
    std::size_t at = 0;
    for (const auto length : step.pieces) {
        free.segments.push_back({free.memory.data() + at, length});
        at += length;
    }
    if (step.what == act::read)
        prepare_read(free);
    else
        prepare_write(free);
    free.since = target::clock::now();
    running_.emplace(free.what.number, index);
    on_.requests.begin(free.what);
    did_.by_way[name_of(step.by)]++;
    did_.by_memory[to_string(step.memory)]++;
    did_.submitted++;
    if (step.what == act::read) free.begun = on_.blocks->begin_read();
    auto& by = backend_of(step.by);
    const operation op{step.what == act::read ? direction::read : direction::write,
                       free.what.offset, free.memory, free.what.number, free.segments};
    by.submit({&op, 1});
    if (step.cancel) by.cancel(free.what.number);
}

void worker::prepare_read(slot& one) const
{
    std::memset(one.memory.data() - memory::guard, static_cast<int>(prefill),
                one.memory.size() + 2 * memory::guard);
}

void worker::prepare_write(slot& one)
{
    const auto where = one.what.step.where;
    const std::size_t block_bytes = on_.can().block_bytes;
    one.what.sequence = on_.blocks->begin_write(where, version::kind::block, index_);
    for (std::size_t i = 0; i < where.count; i++) {
        auto who = on_.home(where.first + i);
        who.sequence = one.what.sequence;
        who.writer = index_;
        fill_block(one.memory.subspan(i * block_bytes, block_bytes), who);
    }
}

/// What has no memory, and ends within the call.
void worker::act_at_once(request& what)
{
    const auto where = what.step.where;
    const bool discards = what.step.what == act::discard;
    did_.submitted++;
    if (discards) what.sequence = on_.blocks->begin_write(where, version::kind::zeros, index_);
    on_.requests.begin(what);
    what.result =
        discards ? on_.discard(where, what.step.by.direct) : on_.sync(what.step.by.direct);
    what.ended_s = on_.seconds();
    on_.requests.end(what);
    if (discards) on_.blocks->end_write(where, what.sequence, what.result == 0 ? where.count : 0);
    did_.completed++;
    on_.completed++;
    if (what.result != 0)
        complain(what, "error", std::generic_category().message(static_cast<int>(-what.result)));
}

void worker::reap()
{
    completions_.clear();
    for (auto& [by, one] : backends_) one->reap(completions_, 0, target::clock::now());
    if (completions_.empty())
        for (auto& [by, one] : backends_)
            if (one->in_flight() > 0) {
                one->reap(completions_, 1, target::clock::now() + 1ms);
                break;
            }
    for (const auto& one : completions_) end(one);
}

void worker::end(const completion& result)
{
    const auto found = running_.find(result.tag);
    if (found == running_.end()) {
        request nobody;
        nobody.number = result.tag;
        nobody.worker = index_;
        complain(nobody, "double",
                 fmt::format("a completion for #{}, which is not in flight", result.tag));
        return;
    }
    slot& one = slots_[found->second];
    running_.erase(found);
    one.what.result = result.result;
    one.what.ended_s = on_.seconds();
    on_.requests.end(one.what);
    did_.completed++;
    on_.completed++;
    if (one.what.step.what == act::read)
        end_read(one);
    else
        end_write(one);
    one.busy = false;
}

/// Whether as much was moved as may be. A failure or a short count that hostile events explain is
/// counted, any other is told.
bool worker::accept(slot& one)
{
    const auto result = one.what.result;
    if (result == static_cast<std::int64_t>(one.what.length)) return true;
    if (may_be_cut(one.what.step, result, wanted_.has(event::signals))) {
        did_.cut_short++;
        return true;
    }
    if (result < 0)
        complain(one.what, "error", std::generic_category().message(static_cast<int>(-result)));
    else
        complain(
            one.what, to_string(mismatch_kind::shortened),
            fmt::format("{} of {} bytes were moved, within the device", result, one.what.length));
    return false;
}

void worker::end_read(slot& one)
{
    const auto may_hold = on_.blocks->end_read(one.what.step.where, one.begun);
    if (!accept(one)) return;
    const auto moved = static_cast<std::size_t>(std::max<std::int64_t>(one.what.result, 0));
    did_.bytes_read += moved;
    verify(one, moved / on_.can().block_bytes, may_hold);
    verify_untouched(one, {one.memory.data() - memory::guard, memory::guard}, "before the request");
    verify_untouched(one, {one.memory.data() + one.memory.size(), memory::guard},
                     "behind the request");
    // From the page cache bytes come in order; a device may move the last ones first.
    if (moved > 0 && !one.what.step.by.direct)
        verify_untouched(one, one.memory.subspan(moved), "behind what the result claims");
}

void worker::end_write(slot& one)
{
    const auto moved = static_cast<std::size_t>(std::max<std::int64_t>(one.what.result, 0));
    on_.blocks->end_write(one.what.step.where, one.what.sequence, moved / on_.can().block_bytes);
    did_.bytes_written += moved;
    accept(one);
}

void worker::verify(slot& one, std::size_t whole, const std::vector<model::candidates>& may_hold)
{
    const std::size_t block_bytes = on_.can().block_bytes;
    for (std::size_t i = 0; i < whole; i++) {
        const std::size_t block = one.what.step.where.first + i;
        const auto bytes = one.memory.subspan(i * block_bytes, block_bytes);
        did_.blocks_verified++;
        if (may_hold[i].alive.front().what == version::kind::unknown) {
            verify_unknown(one, block, bytes);
            continue;
        }
        auto wrong = examine(bytes, on_.home(block), may_hold[i], !wanted_.atomic);
        if (!wrong) continue;
        complain(one.what, std::move(*wrong), block);
        return;
    }
}

/// Without --write nobody knows what is there, but it stays as it is.
void worker::verify_unknown(const slot& one, std::size_t block, std::span<const std::byte> bytes)
{
    const auto digest = XXH3_64bits(bytes.data(), bytes.size()) | 1;
    on_.blocks->learn(block, digest);
    mismatch wrong;
    wrong.found.assign(bytes.begin(), bytes.end());
    wrong.kind = mismatch_kind::changed;
    wrong.detail = "nobody here writes, and the bytes are not those of an earlier read";
    if (on_.blocks->learnt(block) != digest) complain(one.what, std::move(wrong), block);
}

/// @param memory that a read may not write to
void worker::verify_untouched(const slot& one, std::span<const std::byte> memory,
                              const std::string& where)
{
    const auto touched =
        std::find_if(memory.begin(), memory.end(), [](std::byte byte) { return byte != prefill; });
    if (touched == memory.end()) return;
    mismatch wrong;
    wrong.kind = mismatch_kind::overrun;
    wrong.detail = fmt::format("memory {} was written", where);
    wrong.found.assign(memory.begin(), memory.end());
    wrong.expected.assign(memory.size(), prefill);
    wrong.at = static_cast<std::size_t>(touched - memory.begin());
    complain(one.what, std::move(wrong), one.what.step.where.first);
}

void worker::look_for_lost()
{
    const auto now = target::clock::now();
    for (const auto& one : slots_)
        if (one.busy && now - one.since > wanted_.deadline) {
            complain(one.what, "lost",
                     fmt::format("no completion after {} s",
                                 std::chrono::duration<double>(wanted_.deadline).count()));
            return;
        }
}

void worker::complain(const request& one, const std::string& kind, const std::string& text)
{
    on_.report({kind, text, one, one.offset, {}, on_.requests.near(one)});
}

void worker::complain(const request& one, mismatch what, std::size_t block)
{
    problem told{to_string(what.kind), what.detail,     one,
                 on_.offset_of(block), std::move(what), on_.requests.near(one)};
    on_.report(std::move(told));
}

}  // namespace scullpin::stress
