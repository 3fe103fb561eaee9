// SPDX-License-Identifier: MIT
// What a block may hold, and what its bytes say when it holds something else.
#include <algorithm>

#include <catch_amalgamated.hpp>

#include "stress/block.hpp"
#include "stress/mismatch.hpp"
#include "stress/model.hpp"
#include "stress/report.hpp"

using namespace scullpin::stress;

namespace {

constexpr identity home{.device = 1, .offset = 4096, .generation = 7, .length = 512};
constexpr extent first{0, 1};

std::vector<std::byte> block_of(std::uint64_t sequence, identity who = home)
{
    return make_version({.what = version::kind::block, .sequence = sequence}, who);
}

/// A whole write, before and after which nothing happens.
std::uint64_t write_block(model& what, version::kind kind = version::kind::block)
{
    const auto sequence = what.begin_write(first, kind, 0);
    what.end_write(first, sequence, 1);
    return sequence;
}

std::vector<std::uint64_t> alive(model& what, moment begun)
{
    std::vector<std::uint64_t> sequences;
    const auto seen = what.end_read(first, begun);
    for (const auto& one : seen[0].alive) sequences.push_back(one.sequence);
    return sequences;
}

using sequences = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a block says whose it is, and any changed byte is seen")
{
    auto block = block_of(3);
    const auto who = read_block(block);
    REQUIRE(who);
    CHECK((who->offset == 4096 && who->sequence == 3 && who->generation == 7));
    for (std::size_t i = 0; i < block.size(); i++) {
        block[i] ^= std::byte{1};
        CHECK(!read_block(block));
        block[i] ^= std::byte{1};
    }
    CHECK(block_of(3) == block);
    CHECK(block_of(4) != block);
}

TEST_CASE("a block of any length from the header's on can be made and read")
{
    for (std::uint32_t length = header_bytes; length < 200; length++) {
        auto who = home;
        who.length = length;
        CHECK(read_block(block_of(1, who)).value().length == length);
    }
    CHECK(!read_block(std::vector<std::byte>(header_bytes - 1)));
}

TEST_CASE("before the first write a block may hold anything, after it only that")
{
    model what(1);
    auto begun = what.begin_read();
    CHECK(what.end_read(first, begun)[0].alive.at(0).what == version::kind::unknown);
    const auto one = write_block(what);
    CHECK(alive(what, what.begin_read()) == sequences{one});
}

TEST_CASE("a read may give what was there before, or any write that it overlaps")
{
    model what(1);
    const auto before = write_block(what);
    const auto begun = what.begin_read();
    const auto during = write_block(what);
    const auto still = what.begin_write(first, version::kind::block, 0);
    CHECK(alive(what, begun) == sequences{before, during, still});
    CHECK(alive(what, what.begin_read()) == sequences{during, still});
    what.end_write(first, still, 1);
    CHECK(alive(what, what.begin_read()) == sequences{still});
}

TEST_CASE("writes that overlap leave either, until one that begins after both")
{
    model what(1);
    const auto a = what.begin_write(first, version::kind::block, 0);
    const auto b = what.begin_write(first, version::kind::block, 1);
    what.end_write(first, a, 1);
    what.end_write(first, b, 1);
    CHECK(alive(what, what.begin_read()) == sequences{a, b});
    const auto c = write_block(what);
    CHECK(alive(what, what.begin_read()) == sequences{c});
}

TEST_CASE("a write that failed may be there or not, and replaces nothing")
{
    model what(2);
    const extent both{0, 2};
    const auto good = what.begin_write(both, version::kind::block, 0);
    what.end_write(both, good, 2);
    const auto cut = what.begin_write(both, version::kind::block, 0);
    what.end_write(both, cut, 1);
    const auto seen = what.end_read(both, what.begin_read());
    CHECK(seen[0].alive.size() == 1);
    REQUIRE(seen[1].alive.size() == 2);
    CHECK((seen[1].alive[0].sequence == good && seen[1].alive[1].partial));
}

TEST_CASE("the model forgets what no read can see, but for a few")
{
    model what(1);
    for (int i = 0; i < 1000; i++) write_block(what);
    CHECK(what.end_read(first, what.begin_read())[0].past.size() <= 5);
    const auto long_ago = what.begin_read();
    for (int i = 0; i < 100; i++) write_block(what);
    CHECK(alive(what, long_ago).size() == 101);
}

TEST_CASE("what a block wrongly holds has a name")
{
    model what(1);
    const auto old = write_block(what), last = write_block(what);
    const auto may_hold = what.end_read(first, what.begin_read())[0];
    const auto name = [&](const std::vector<std::byte>& block, bool mixes = false) {
        const auto found = examine(block, home, may_hold, mixes);
        return found ? std::string(to_string(found->kind)) : "right";
    };
    const auto good = block_of(last);
    const auto with = [&](std::byte value, std::size_t from) {
        auto block = good;
        std::fill(block.begin() + static_cast<std::ptrdiff_t>(from), block.end(), value);
        return block;
    };
    CHECK(name(good) == "right");
    CHECK(name(block_of(old)) == "stale");
    auto elsewhere = home;
    elsewhere.offset = 8192;
    CHECK(name(block_of(last, elsewhere)) == "misdirected");
    auto other_run = home;
    other_run.generation = 8;
    CHECK(name(block_of(last, other_run)) == "foreign");
    for (const std::size_t from : {0, 100, 511}) {
        CHECK(name(with(std::byte{0}, from)) == "zeros");
        CHECK(name(with(std::byte{0xaa}, from)) == "poison");
        CHECK(name(with(prefill, from)) == "short");
    }
    auto torn = good;
    std::copy_n(block_of(old).begin(), 256, torn.begin());
    CHECK(name(torn) == "torn");
    CHECK(name(torn, true) == "torn");  // the two did not overlap
    std::copy_n(block_of(99).begin(), 256, torn.begin());
    CHECK(name(torn) == "torn");  // the header tells of the other part
    auto garbage = good;
    garbage[300] ^= std::byte{0x10};
    const auto found = examine(garbage, home, may_hold, false);
    REQUIRE(found);
    CHECK((found->kind == mismatch_kind::foreign && found->at == 300));
    CHECK(found->expected == good);
}

TEST_CASE("a block whose writes nobody counted may be any whole one of its place and run")
{
    const version first{.what = version::kind::block, .sequence = 1};
    const auto name = [&](const std::vector<std::byte>& block) {
        const auto wrong = examine_uncounted(block, home, first);
        if (wrong) CHECK((wrong->expected.size() == 512 && wrong->found == block));
        return wrong ? std::string(to_string(wrong->kind)) : "right";
    };
    const auto with = [&](std::byte value, std::size_t from) {
        auto block = block_of(99);
        std::fill(block.begin() + static_cast<std::ptrdiff_t>(from), block.end(), value);
        return block;
    };
    CHECK(name(block_of(1)) == "right");
    CHECK(name(block_of(99)) == "right");
    for (const std::size_t from : {0, 100}) {
        CHECK(name(with(std::byte{0}, from)) == "zeros");
        CHECK(name(with(std::byte{0xaa}, from)) == "poison");
        CHECK(name(with(prefill, from)) == "short");
    }
    auto torn = block_of(99);
    std::copy_n(block_of(98).begin() + 256, 256, torn.begin() + 256);
    CHECK(name(torn) == "torn");
    auto other = home;
    other.generation = 8;
    CHECK(name(block_of(1, other)) == "foreign");
    other = home;
    other.offset = 8192;
    CHECK(name(block_of(1, other)) == "misdirected");
}

TEST_CASE("neighbours are all requests of the same time, and the latest of the same place")
{
    history all;
    const auto add = [&](std::uint64_t number, act what, std::uint64_t offset, double begun,
                         double ended) {
        request one;
        one.number = number;
        one.worker = static_cast<unsigned>(number % 3);
        one.step.what = what;
        one.offset = offset;
        one.length = what == act::sync ? 0 : 512;
        one.begun_s = begun;
        one.ended_s = -1;
        all.begin(one);
        one.ended_s = ended;
        if (ended >= 0) all.end(one);
        return one;
    };
    add(1, act::write, 8192, 0.0, 0.5);  // over, elsewhere
    add(2, act::write, 4096, 0.0, 0.6);  // over, the same place
    add(3, act::write, 8192, 0.5, 1.5);  // elsewhere at the same time
    add(4, act::sync, 0, 1.2, 1.3);      // at the same time
    add(5, act::sync, 0, 0.1, 0.2);      // over
    add(6, act::write, 16384, 1.9, -1);  // in flight
    add(7, act::write, 16384, 2.5, -1);  // begun later
    for (std::uint64_t i = 0; i < 20; i++)
        add(100 + i, act::write, 65536, 1.1, 1.2);  // more than are shown of one place
    const auto found = all.near(add(8, act::read, 4096, 1.0, 2.0));
    std::vector<std::uint64_t> numbers;
    for (const auto& one : found)
        if (one.number < 100) numbers.push_back(one.number);
    CHECK(numbers == std::vector<std::uint64_t>{2, 3, 4, 6});
    CHECK(found.size() == 24);
    CHECK(describe(found[found.size() - 2]).starts_with("#4 worker 1: fsync; began at"));
}

TEST_CASE("a mix is right where requests overlap and nobody promised otherwise")
{
    model what(1);
    const auto a = what.begin_write(first, version::kind::block, 0);
    const auto b = what.begin_write(first, version::kind::block, 0);
    const auto may_hold = what.end_read(first, what.begin_read())[0];
    what.end_write(first, a, 1);
    what.end_write(first, b, 1);
    auto mix = block_of(a);
    std::copy_n(block_of(b).begin() + 100, 100, mix.begin() + 100);
    const auto now = what.end_read(first, what.begin_read())[0];
    CHECK(!examine(mix, home, now, true));
    CHECK(examine(mix, home, now, false)->kind == mismatch_kind::torn);
    CHECK(may_hold.alive.size() == 3);
}
