// SPDX-License-Identifier: MIT
// The buffer manager of the example: what it may give up, and when.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>
#include <random>

#include <catch_amalgamated.hpp>

#include "bufferpool/page.hpp"
#include "bufferpool/run.hpp"
#include "bufferpool/scan.hpp"
#include "bufferpool/workload.hpp"
#include "scullpin/file_descriptor.hpp"
#include "temporary.hpp"

using namespace scullpin;
using namespace scullpin::bufferpool;

namespace {

constexpr std::size_t page_size = 4096;

/// Keeps what was moved, in order, and fails what it is told to.
struct watched {
    struct transfer {
        direction dir;
        page_number page;
    };
    std::vector<transfer> moved;
    std::map<std::pair<direction, page_number>, int> fails;  ///< errno
    unsigned changed = 0;  ///< pages that were not the same until they were written
};

/// A back end that ends no more than it must, reads before writes. A device reads memory until it
/// says that it has written: what changes meanwhile is counted.
class watched_backend : public backend {
public:
    watched_backend(watched& log, int fd)
        : log_(log), below_(make_backend(backend_kind::sync, fd, 64))
    {
    }

    void submit(std::span<const operation> operations) override
    {
        for (const auto& op : operations) waiting_.emplace_back(op, first_word(op));
        in_flight_ += operations.size();
    }

    std::size_t reap(std::vector<completion>& completions, std::size_t min,
                     clock::time_point) override
    {
        const std::size_t count = std::min(min, waiting_.size());
        for (std::size_t i = 0; i < count; i++) {
            const auto next = std::find_if(waiting_.begin(), waiting_.end(), [](const auto& one) {
                return one.first.dir == direction::read;
            });
            const auto which = next == waiting_.end() ? waiting_.begin() : next;
            const auto [op, value] = *which;
            waiting_.erase(which);
            if (op.dir == direction::write && first_word(op) != value) log_.changed++;
            end(op, completions);
        }
        in_flight_ -= count;
        return count;
    }

private:
    static std::uint64_t first_word(const operation& op)
    {
        std::uint64_t value = 0;
        std::memcpy(&value, op.memory.data(), sizeof(value));
        return value;
    }

    void end(const operation& op, std::vector<completion>& completions)
    {
        const page_number page = op.offset / page_size;
        log_.moved.push_back({op.dir, page});
        if (const auto found = log_.fails.find({op.dir, page}); found != log_.fails.end()) {
            completions.push_back({op.tag, -found->second});
            return;
        }
        below_->submit({&op, 1});
        below_->reap(completions, 1);
    }

    watched& log_;
    std::unique_ptr<backend> below_;
    std::vector<std::pair<operation, std::uint64_t>> waiting_;  ///< with what it began as
};

/// A file of pages whose first word is 1000 times their number, and a pool of few frames over it.
class small_pool {
public:
    explicit small_pool(std::size_t frames, page_number pages = 64, unsigned iodepth = 8)
    {
        std::vector<std::byte> bytes(pages * page_size);
        for (page_number page = 0; page < pages; page++) {
            const std::uint64_t value = page * 1000;
            std::memcpy(bytes.data() + page * page_size, &value, sizeof(value));
        }
        write_file(folder_.file("f"), bytes);
        file_ = file_descriptor::open(folder_.file("f"), O_RDWR);
        pages_.emplace(pool_settings{frames, page_size, iodepth}, [this](std::span<std::byte>) {
            return std::make_unique<watched_backend>(log, file_.get());
        });
    }

    pool& pages() { return *pages_; }

    std::uint64_t get(page_number page)
    {
        std::uint64_t value = 0;
        std::memcpy(&value, pages().fix(page).bytes().data(), sizeof(value));
        return value;
    }

    void put(page_number page, std::uint64_t value)
    {
        const auto fixed = pages().fix(page, intent::update);
        std::memcpy(fixed.bytes().data(), &value, sizeof(value));
    }

    [[nodiscard]] std::uint64_t on_device(page_number page) const
    {
        std::uint64_t value = 0;
        REQUIRE(::pread(file_.get(), &value, sizeof(value), static_cast<off_t>(page * page_size)) ==
                sizeof(value));
        return value;
    }

    watched log;

private:
    temporary_folder folder_;
    file_descriptor file_;
    std::optional<pool> pages_;
};

}  // namespace

TEST_CASE("a fixed page is never given up, whatever else is asked for")
{
    small_pool small(4);
    const auto first = small.pages().fix(7);
    const auto* where = first.bytes().data();
    const auto how = GENERATE(pattern::point, pattern::scan);
    for (page_number page = 0; page < 64; page++)
        CHECK_NOTHROW(small.pages().fix(page, intent::read, how));
    CHECK(small.pages().holds(7));
    CHECK(small.pages().fix(7).bytes().data() == where);
    CHECK(std::count_if(small.log.moved.begin(), small.log.moved.end(),
                        [](const auto& one) { return one.page == 7; }) == 1);
}

TEST_CASE("a pool whose frames are all fixed says so, and goes on when one is let go")
{
    small_pool small(2);
    const auto first = small.pages().fix(1);
    {
        const auto second = small.pages().fix(2);
        CHECK_THROWS_WITH(small.pages().fix(3), "all 2 frames of the pool are fixed");
        CHECK_NOTHROW(small.pages().fix(1));
    }
    CHECK(small.get(3) == 3000);
}

TEST_CASE("a dirty page is on the device before another page is read into its frame")
{
    small_pool small(4);
    for (page_number page = 0; page < 4; page++) small.put(page, page + 77);
    for (page_number page = 10; page < 30; page++) CHECK(small.get(page) == page * 1000);
    for (page_number page = 0; page < 4; page++) {
        CHECK(small.on_device(page) == page + 77);
        CHECK(small.get(page) == page + 77);
    }
    CHECK(small.pages().counters().device_writes == 4);
    CHECK(small.pages().counters().evictions >= 20);
}

TEST_CASE("dirty pages ahead of the hand are written together, not one by one")
{
    small_pool small(16);
    for (page_number page = 0; page < 16; page++) small.put(page, 1);
    small.log.moved.clear();
    CHECK(small.get(20) == 20000);
    CHECK(small.pages().counters().device_writes > 1);
    CHECK(small.pages().counters().evictions == 1);
}

TEST_CASE("a page that is being written is read meanwhile, and updated only afterwards")
{
    small_pool small(16);
    for (page_number page = 0; page < 16; page++) small.put(page, 1);
    CHECK(small.get(20) == 20000);
    for (page_number page = 1; page < 16; page++) CHECK(small.get(page) == 1);
    for (page_number page = 1; page < 16; page++) small.put(page, 2);
    small.pages().flush();
    CHECK(small.log.changed == 0);
    for (page_number page = 1; page < 16; page++) CHECK(small.on_device(page) == 2);
}

TEST_CASE("random reads, updates, scans and flushes give what a map gives, and so does the file")
{
    const auto seed = GENERATE(1U, 2U, 3U, 4U);
    CAPTURE(seed);
    small_pool small(9, 64, 4);
    std::map<page_number, std::uint64_t> model;
    for (page_number page = 0; page < 64; page++) model[page] = page * 1000;
    std::mt19937 numbers(seed);
    for (unsigned step = 0; step < 5000; step++) {
        const page_number page = numbers() % 64;
        const auto what = numbers() % 100;
        if (what < 50) {
            REQUIRE(small.get(page) == model[page]);
        } else if (what < 95) {
            model[page] = numbers();
            small.put(page, model[page]);
        } else if (what < 98) {
            sequential_scan scan(small.pages(), page, 64 - page);
            while (!scan.at_end()) {
                const page_number next = scan.page();
                std::uint64_t value = 0;
                std::memcpy(&value, scan.next().bytes().data(), sizeof(value));
                REQUIRE(value == model[next]);
            }
        } else {
            small.pages().flush();
            REQUIRE(small.on_device(page) == model[page]);
        }
    }
    small.pages().flush();
    CHECK(small.log.changed == 0);
    for (const auto& [page, value] : model) CHECK(small.on_device(page) == value);
}

TEST_CASE("a scan finds what read-ahead has brought, and each page is counted once")
{
    small_pool small(32);
    sequential_scan scan(small.pages(), 8, 40);
    for (page_number page = 8; !scan.at_end(); page++) {
        CHECK(scan.page() == page);
        static_cast<void>(scan.next());
    }
    const auto& counted = small.pages().counters();
    CHECK(counted.read_ahead_hits == 40);
    CHECK(counted.hits == 40);
    CHECK(counted.misses == 0);
    CHECK(counted.device_reads == 40);
    for (const auto& one : small.log.moved) CHECK((one.page >= 8 && one.page < 48));
}

TEST_CASE("a scan of everything leaves the pages that are used again where they are")
{
    small_pool small(32);
    for (int round = 0; round < 2; round++)
        for (page_number page = 0; page < 16; page++) static_cast<void>(small.get(page));
    sequential_scan scan(small.pages(), 0, 64);
    while (!scan.at_end()) static_cast<void>(scan.next());
    const auto misses = small.pages().counters().misses;
    for (page_number page = 0; page < 16; page++) CHECK(small.get(page) == page * 1000);
    CHECK(small.pages().counters().misses == misses);
}

TEST_CASE("an error of the device reaches who asked, with the number of the page")
{
    small_pool small(4);
    SECTION("a page that cannot be read")
    {
        small.log.fails[{direction::read, 5}] = EIO;
        try {
            static_cast<void>(small.pages().fix(5));
            FAIL("the page was read");
        } catch (const page_error& error) {
            CHECK(error.page() == 5);
            CHECK(error.code().value() == EIO);
            CHECK_THAT(error.what(), Catch::Matchers::StartsWith("read page 5"));
        }
        CHECK_FALSE(small.pages().holds(5));
        small.log.fails.clear();
        CHECK(small.get(5) == 5000);
    }
    SECTION("a page that read-ahead could not read")
    {
        small.log.fails[{direction::read, 6}] = ENODEV;
        sequential_scan scan(small.pages(), 5, 3);
        CHECK_NOTHROW(scan.next());
        try {
            static_cast<void>(scan.next());
            FAIL("the page was read");
        } catch (const page_error& error) {
            CHECK((error.page() == 6 && error.code().value() == ENODEV));
        }
    }
    SECTION("a page that cannot be written stays, dirty, and is written later")
    {
        small.put(3, 33);
        small.log.fails[{direction::write, 3}] = ENOSPC;
        try {
            small.pages().flush();
            FAIL("the page was written");
        } catch (const page_error& error) {
            CHECK((error.page() == 3 && error.code().value() == ENOSPC));
        }
        unsigned told = 0;
        for (page_number page = 10; page < 20; page++) try {
                static_cast<void>(small.get(page));
            } catch (const page_error& error) {
                told += error.page() == 3;
            }
        CHECK(told > 0);
        CHECK(small.get(3) == 33);
        small.log.fails.clear();
        small.pages().flush();
        CHECK(small.on_device(3) == 33);
    }
}

TEST_CASE("the same seed is the same accesses, hot pages are few, and every page has its rank")
{
    const workload_settings settings{1000, 5, 0.99, 20, 100, 50};
    workload one(settings), other(settings);
    std::map<page_number, unsigned> uses;
    unsigned scans = 0, updates = 0;
    for (unsigned i = 0; i < 20200; i++) {
        const auto step = one.next(), same = other.next();
        REQUIRE((step.what == same.what && step.page == same.page && step.count == same.count));
        REQUIRE(step.page + step.count <= 1000);
        scans += step.what == access_step::kind::scan;
        updates += step.what == access_step::kind::update;
        if (step.what != access_step::kind::scan) uses[step.page]++;
    }
    CHECK(scans == 200);
    CHECK((updates > 3600 && updates < 4400));
    std::vector<unsigned> often;
    for (const auto& [page, count] : uses) often.push_back(count);
    std::sort(often.rbegin(), often.rend());
    CHECK(often.size() > 900);
    CHECK(std::accumulate(often.begin(), often.begin() + 100, 0U) > 12000);
}

TEST_CASE("a page that is another, old or half old is found at once")
{
    std::vector<std::byte> bytes(page_size);
    witness seen(10);
    seal(bytes, 4, 0);
    CHECK_NOTHROW(seen.update(4, bytes));
    CHECK_NOTHROW(seen.read(4, bytes));
    CHECK_THROWS_AS(seen.read(5, bytes), wrong_page);
    seal(bytes, 4, 0);
    CHECK_THROWS_WITH(seen.read(4, bytes),
                      Catch::Matchers::ContainsSubstring("version 1 was asked"));
    std::vector<std::byte> next(page_size);
    seal(next, 4, 1);
    std::copy(next.begin(), next.begin() + 2048, bytes.begin());
    CHECK_THROWS_AS(seen.read(4, bytes), wrong_page);
}

TEST_CASE("every way reads the same pages of a file, with writes and without")
{
    const temporary_folder folder;
    write_file(folder.file("f"), random_bytes(256 * page_size));
    run_settings settings;
    settings.path = folder.file("f");
    // Not all file systems know O_DIRECT; in the VM the pool has it.
    settings.ways = {way_kind::pool_over_cache, way_kind::cached, way_kind::mapped};
    settings.work = {256, 1, 0.9, 20, 200, 128};
    settings.operations = 1000;
    settings.pages.memory_bytes = 64 * page_size;
    settings.pages.pages = 256;
    settings.pages.writable = GENERATE(false, true);
    const auto before = read_file(settings.path);
    const auto report = run(settings);
    CHECK(report.checksums_agree());
    REQUIRE(report.ways.size() == 3);
    CHECK(report.ways[0].accesses == 1000 + 4 * 128);
    CHECK(report.ways[0].own->hits + report.ways[0].own->misses == report.ways[0].accesses);
    CHECK(report.ways[0].memory.twice_bytes <= report.ways[0].memory.page_cache_bytes);
    CHECK((read_file(settings.path) == before) == !settings.pages.writable);
}
