// SPDX-License-Identifier: MIT
// The benchmark as a library: what a job means, where its requests go, what a run counts.
#include <algorithm>
#include <set>

#include <catch_amalgamated.hpp>

#include "bench/offsets.hpp"
#include "bench/plot.hpp"
#include "bench/report.hpp"
#include "bench/run.hpp"
#include "bench/worker.hpp"
#include "scullpin/error.hpp"
#include "temporary.hpp"

using namespace scullpin;
using bench::pattern;

namespace {

constexpr std::uint64_t block = 4096, blocks = 64;

geometry file_of(std::uint64_t bytes)
{
    geometry shape;
    shape.size = bytes;
    return shape;
}

bench::job one_pass(pattern rw, backend_kind kind = backend_kind::sync)
{
    bench::job what;
    what.rw = rw;
    what.backend = kind;
    what.size = block * blocks;
    return what;
}

bench::run_result run_on(const std::string& path, const bench::job& what,
                         const std::atomic<bool>* stop = nullptr)
{
    const auto node = device::open(path, bench::access_of(what), what.direct);
    bench::control how;
    how.stop = stop;
    return bench::run(node, what, bench::span_of(what, node.shape(), path), how);
}

std::string file_with_blocks(const temporary_folder& folder)
{
    write_file(folder.file("f"), random_bytes(block * blocks));
    return folder.file("f");
}

std::size_t blocks_that_differ(const std::vector<std::byte>& a, const std::vector<std::byte>& b)
{
    std::size_t count = 0;
    for (std::size_t at = 0; at < a.size(); at += block)
        count += std::equal(a.begin() + static_cast<std::ptrdiff_t>(at),
                            a.begin() + static_cast<std::ptrdiff_t>(at + block),
                            b.begin() + static_cast<std::ptrdiff_t>(at))
                     ? 0
                     : 1;
    return count;
}

/// Keeps requests until there are as many as it wants, and ends the i-th of all with result(i).
class held_backend : public backend {
public:
    using result_function = std::int64_t (*)(std::uint64_t index, std::size_t bytes);
    held_backend(std::size_t& most, result_function result) : most_(most), result_(result) {}

    void submit(std::span<const operation> operations) override
    {
        for (const auto& op : operations)
            held_.push_back({op.tag, result_(index_++, op.memory.size())});
        in_flight_ = held_.size();
        most_ = std::max(most_, in_flight_);
    }

    std::size_t reap(std::vector<completion>& completions, std::size_t, clock::time_point) override
    {
        completions.push_back(held_.front());
        held_.erase(held_.begin());
        in_flight_ = held_.size();
        return 1;
    }

private:
    std::size_t& most_;
    result_function result_;
    std::uint64_t index_ = 0;
    std::vector<completion> held_;
};

std::int64_t all_of_it(std::uint64_t, std::size_t bytes)
{
    return static_cast<std::int64_t>(bytes);
}

/// Of 64: 16 fail with EIO, 16 with EAGAIN, 16 are short.
std::int64_t trouble(std::uint64_t index, std::size_t bytes)
{
    constexpr std::int64_t results[] = {-EIO, -EAGAIN};
    if (index % 4 < 2) return results[index % 4];
    return static_cast<std::int64_t>(index % 4 == 2 ? bytes - 1 : bytes);
}

}  // namespace

TEST_CASE("a job that makes no sense on any path is refused")
{
    const auto refused = [](auto change) {
        bench::job what;
        change(what);
        CHECK_THROWS_AS(bench::check(what), usage_error);
    };
    CHECK_NOTHROW(bench::check({}));
    refused([](auto& what) { what.block_bytes = 0; });
    refused([](auto& what) { what.block_bytes = 1ull << 31; });
    refused([](auto& what) { what.fixedbufs = true; });
    refused([](auto& what) { what.rwmixread = 70; });
    refused([](auto& what) { what.rw = pattern::write, what.rwmixread = 0; });
    refused([](auto& what) { what.rw = pattern::randrw, what.rwmixread = 101; });
    refused([](auto& what) { what.runtime = std::chrono::milliseconds(0); });
    bench::job fixed;
    fixed.backend = backend_kind::io_uring;
    fixed.fixedbufs = true;
    CHECK_NOTHROW(bench::check(fixed));
}

TEST_CASE("a job that does not fit a path is refused")
{
    const auto refused = [](const geometry& shape, auto change) {
        bench::job what;
        change(what);
        CHECK_THROWS_AS(bench::span_of(what, shape, "p"), usage_error);
    };
    const auto same = [](auto&) {};
    geometry endless = file_of(0), stream = file_of(1 << 20);
    endless.size.reset();
    stream.what = geometry::kind::stream;
    refused(file_of(4095), same);
    refused(endless, same);
    refused(stream, same);
    refused(file_of(8192), [](auto& what) { what.size = 8193; });
    refused(file_of(8192), [](auto& what) { what.offset = 8193; });
    refused(file_of(8192), [](auto& what) { what.offset = 4096, what.size = 4097; });
    refused(file_of(8192), [](auto& what) { what.size = ~0ull, what.offset = 1; });
    refused(file_of(8192), [](auto& what) { what.direct = true, what.block_bytes = 1000; });
    refused(file_of(8192), [](auto& what) { what.direct = true, what.offset = 100; });
}

TEST_CASE("the span of a job is whole requests from its offset on")
{
    bench::job what;
    CHECK(bench::span_of(what, file_of(8191), "p").blocks == 1);
    what.offset = 100;
    what.block_bytes = 1000;
    const auto rest = bench::span_of(what, file_of(8192), "p");
    CHECK((rest.offset == 100 && rest.blocks == 8));
    what.size = 3999;
    CHECK(bench::span_of(what, file_of(8192), "p").blocks == 3);
    geometry endless = file_of(0);
    endless.size.reset();
    CHECK(bench::span_of(what, endless, "p").blocks == 3);
}

TEST_CASE("a job runs 10 s, or its runtime, or over its size once")
{
    using namespace std::chrono_literals;
    bench::job what;
    CHECK(bench::time_limit(what) == 10s);
    what.size = 4096;
    CHECK(!bench::time_limit(what));
    what.runtime = 5s;
    CHECK(bench::time_limit(what) == 5s);
}

TEST_CASE("a path is opened for no more than the job does")
{
    CHECK(bench::access_of(one_pass(pattern::randread)) == access::read_only);
    CHECK(bench::access_of(one_pass(pattern::write)) == access::write_only);
    CHECK(bench::access_of(one_pass(pattern::write, backend_kind::mmap)) == access::read_write);
    CHECK(bench::access_of(one_pass(pattern::randrw)) == access::read_write);
}

TEST_CASE("each pass goes to every block once, in another random order")
{
    const std::uint64_t count = GENERATE(1, 2, 3, 64, 1000, 4097);
    bench::job what;
    what.rw = GENERATE(pattern::randread, pattern::read);
    CAPTURE(count, to_string(what.rw));
    bench::offsets places(what, {512, count}, 7), same(what, {512, count}, 7);
    std::vector<std::vector<std::uint64_t>> passes(2);
    for (auto& pass : passes) {
        for (std::uint64_t i = 0; i < count; i++) pass.push_back(places.next());
        CHECK(std::set(pass.begin(), pass.end()).size() == count);
        const auto [first, last] = std::minmax_element(pass.begin(), pass.end());
        CHECK((*first == 512 && *last == 512 + (count - 1) * block));
    }
    for (const auto place : passes[0]) CHECK(same.next() == place);
    const bool ordered = !bench::is_random(what.rw);
    if (ordered || count >= 64) {
        CHECK(std::is_sorted(passes[0].begin(), passes[0].end()) == ordered);
        CHECK((passes[0] == passes[1]) == ordered);
    }
}

TEST_CASE("random places are spread over the span")
{
    bench::job what;
    constexpr std::uint64_t count = 1000003;
    bench::offsets places(what, {0, count}, 1);
    std::array<unsigned, 16> buckets{};
    for (int i = 0; i < 16000; i++) buckets.at(places.next() / block * 16 / count)++;
    // The standard deviation is 31.
    for (const auto hits : buckets) CHECK((hits > 850 && hits < 1150));
}

TEST_CASE("one pass moves every block of a file once, by every back end and pattern")
{
    const auto kinds = all_backend_kinds();
    const auto kind = GENERATE_COPY(from_range(kinds.begin(), kinds.end()));
    const auto rw = GENERATE(pattern::read, pattern::write, pattern::randread, pattern::randwrite,
                             pattern::rw, pattern::randrw);
    CAPTURE(to_string(kind), to_string(rw));
    const temporary_folder folder;
    const auto path = file_with_blocks(folder);
    const auto before = read_file(path);
    auto what = one_pass(rw, kind);
    what.iodepth = 8;
    const auto result = run_on(path, what);
    const auto& reads = result.sides[0];
    const auto& writes = result.sides[1];
    CHECK(reads.operations + writes.operations == blocks);
    CHECK(reads.bytes == reads.operations * block);
    CHECK(writes.bytes == writes.operations * block);
    CHECK(reads.failures() + writes.failures() == 0);
    CHECK((reads.operations > 0) == bench::reads(rw));
    CHECK((writes.operations > 0) == bench::writes(rw));
    for (const auto& side : result.sides) {
        CHECK((side.clat.count() == side.operations && side.lat.count() == side.operations));
        CHECK(side.slat.count() == (bench::is_immediate(kind) ? 0 : side.operations));
        CHECK(side.lat.max() <= static_cast<std::uint64_t>(result.elapsed.count()));
    }
    CHECK(!result.aborted);
    CHECK(blocks_that_differ(before, read_file(path)) == writes.operations);
}

TEST_CASE("registered memory and several threads each make a whole pass")
{
    const temporary_folder folder;
    auto what = one_pass(pattern::randread, backend_kind::io_uring);
    what.fixedbufs = true;
    what.iodepth = 4;
    what.numjobs = 3;
    CHECK(run_on(file_with_blocks(folder), what).sides[0].operations == 3 * blocks);
}

TEST_CASE("the share of reads is what was asked for")
{
    const temporary_folder folder;
    auto what = one_pass(pattern::randrw);
    const auto path = file_with_blocks(folder);
    what.block_bytes = 16;
    const double percent = what.rwmixread.emplace(GENERATE(0, 20, 90, 100));
    const auto result = run_on(path, what);
    const auto share =
        static_cast<double>(result.sides[0].operations) * 100 / (block * blocks / 16);
    CHECK(std::abs(share - percent) < 2);
    if (percent == 0 || percent == 100) CHECK(share == percent);
}

TEST_CASE("a run by time goes over the span again and again, and ends")
{
    const temporary_folder folder;
    auto what = one_pass(pattern::randread, GENERATE(backend_kind::sync, backend_kind::io_uring));
    what.runtime = std::chrono::milliseconds(100);
    const auto result = run_on(file_with_blocks(folder), what);
    CHECK(result.sides[0].operations > blocks);
    CHECK(result.elapsed >= std::chrono::milliseconds(100));
    CHECK(result.elapsed < std::chrono::seconds(20));
}

TEST_CASE("a run that is told to stop says that it was aborted")
{
    const temporary_folder folder;
    const std::atomic<bool> stop{true};
    const auto result = run_on(file_with_blocks(folder), one_pass(pattern::randread), &stop);
    CHECK((result.aborted && result.sides[0].operations == 0));
}

TEST_CASE("a worker keeps as many requests in flight as it should, and no more")
{
    auto what = one_pass(pattern::randread, backend_kind::libaio);
    what.iodepth = 5;
    std::size_t most = 0;
    bench::worker one(what, {0, blocks}, 1,
                      [&](auto) { return std::make_unique<held_backend>(most, all_of_it); });
    one.run(nullptr);
    CHECK((most == 5 && one.results()[0].operations == blocks));
}

TEST_CASE("requests that fail or are short are counted by kind, and are never fast")
{
    std::size_t most = 0;
    bench::worker one(one_pass(pattern::read), {0, blocks}, 1,
                      [&](auto) { return std::make_unique<held_backend>(most, trouble); });
    one.run(nullptr);
    const auto& reads = one.results()[0];
    CHECK((reads.operations == 16 && reads.short_results == 16 && reads.failures() == 48));
    CHECK(reads.errors == std::map<int, std::uint64_t>{{EIO, 16}, {EAGAIN, 16}});
    CHECK((reads.bytes == 16 * block && reads.clat.count() == 16));
}

TEST_CASE("the own overhead is measured, and is far below any device")
{
    const auto kind = GENERATE(backend_kind::sync, backend_kind::io_uring);
    const auto overhead = bench::overhead_ns(one_pass(pattern::randrw, kind), {0, 1 << 20});
    REQUIRE(overhead);
    CHECK((*overhead > 1 && *overhead < 1e6));
}

TEST_CASE("paths are compared with the first, and what cannot be compared is not")
{
    bench::run_result first;
    first.path = "a";
    first.elapsed = std::chrono::seconds(1);
    auto second = first, third = first;
    second.path = "b";
    third.path = "c";
    for (std::uint64_t i = 0; i < 100; i++) first.sides[0].clat.record(i < 98 ? 100 : 120);
    for (std::uint64_t i = 0; i < 100; i++) second.sides[0].clat.record(i < 98 ? 50 : 60);
    first.sides[0].operations = 100;
    second.sides[0].operations = 300;
    const auto all = bench::make_report({}, std::nullopt, {first, second, third});
    CHECK(all.paths[0].sides[0].to_first.iops == 1);
    CHECK(all.paths[1].sides[0].to_first.iops == 3);
    CHECK(all.paths[1].sides[0].to_first.clat_p50 == 0.5);
    CHECK(all.paths[1].sides[0].to_first.clat_p99 == 0.5);
    CHECK(!all.paths[2].sides[0].to_first.iops);
    CHECK(!all.paths[1].sides[1].to_first.clat_p50);
}

TEST_CASE("a path of any letters is one title of the plot")
{
    bench::run_result odd;
    odd.path = "it's\nplot 'x";
    odd.sides[1].clat.record(1000);
    const auto script = bench::plot_script({odd});
    CHECK(script.find("title 'it''s plot ''x write'\n") != std::string::npos);
    CHECK(bench::plot_script({bench::run_result{}}).empty());
}
