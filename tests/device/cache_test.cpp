// SPDX-License-Identifier: MIT
// Opened plainly: reads from the page cache, writes that reach the medium later.
#include <fcntl.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>

#include "aio.hpp"
#include "cached.hpp"
#include "child.hpp"
#include "control.hpp"
#include "fault.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "memory_group.hpp"
#include "scullpin/device.hpp"

using std::chrono::steady_clock;

namespace {

constexpr std::size_t megabyte = 1 << 20;

/// A setting of the machine's memory management, set back at the end.
class machine_setting {
public:
    /// @param undoes the setting that says the same in another unit, and alone says it now
    machine_setting(const std::string& name, const std::string& value,
                    const std::string& undoes = {})
        : path_(folder + (undoes.empty() ? name : undoes)), before_(control::get().read(path_))
    {
        REQUIRE(control::get().write(folder + name, value) == 0);
    }
    ~machine_setting()
    {
        // Not CHECK: the destructor must not throw.
        if (control::get().write(path_, before_) != 0) FAIL_CHECK("restore " << path_);
    }
    machine_setting(const machine_setting&) = delete;
    machine_setting& operator=(const machine_setting&) = delete;

private:
    inline static const std::string folder = "/proc/sys/vm/";
    std::string path_, before_;
};

void write_all(int fd, std::span<const std::byte> bytes, std::size_t offset = 0)
{
    REQUIRE(::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(bytes.size()));
}

void read_all(int fd, std::span<std::byte> bytes, std::size_t offset = 0)
{
    REQUIRE(::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(bytes.size()));
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "under RWF_DONTCACHE nothing stays cached, or the kernel does not know it",
                 "[cache]")
{
    constexpr int dont_cache = 0x80;
    const auto fd = open_node();
    const memory out(4), in(4);
    fill_random(out.span(), 561);
    const iovec source{out.data(), out.size()}, target{in.data(), in.size()};
    const auto size = static_cast<ssize_t>(out.size());
    utsname kernel{};
    REQUIRE(::uname(&kernel) == 0);
    int major = 0, minor = 0;
    REQUIRE(std::sscanf(kernel.release, "%d.%d", &major, &minor) == 2);
    if (std::pair(major, minor) < std::pair(6, 14)) {
        CHECK(::pwritev2(fd.get(), &source, 1, 0, dont_cache) == -1);
        CHECK(errno == EOPNOTSUPP);
        return;
    }
    REQUIRE(::pwritev2(fd.get(), &source, 1, 0, dont_cache) == size);
    REQUIRE(::fsync(fd.get()) == 0);
    for (const int flags : {dont_cache, dont_cache, 0}) {
        CAPTURE(flags);
        const gain read_in("cache_read");
        in.fill(std::byte{0});
        REQUIRE(::preadv2(fd.get(), &target, 1, 0, flags) == size);
        CHECK(same(in.span(), out.span()));
        CHECK(read_in.value() >= 4);
    }
    // What somebody else has cached stays.
    const gain read_in("cache_read");
    REQUIRE(::preadv2(fd.get(), &target, 1, 0, dont_cache) == size);
    REQUIRE(::preadv2(fd.get(), &target, 1, 0, 0) == size);
    CHECK(read_in.value() == 0);
}

TEST_CASE_METHOD(device_fixture, "a plain write ends when it is cached, and moves nothing yet",
                 "[cache]")
{
    const setting latency("latency_us", "300000");
    const auto fd = open_node();
    const memory out(4), in(4);
    fill_random(out.span(), 301);
    const gain written("bytes_written");
    write_all(fd.get(), out.span());
    CHECK(written.value() == 0);
    read_all(fd.get(), in.span());
    CHECK(same(in.span(), out.span()));
    const setting none("latency_us", "0");
    CHECK(::fsync(fd.get()) == 0);
    CHECK(written.value() == out.size());
}

TEST_CASE_METHOD(device_fixture,
                 "what was read is read again without the device, until it is dropped", "[cache]")
{
    const auto fd = open_node();
    const memory in(64);
    const gain filled("cache_read");
    read_all(fd.get(), in.span());
    const auto once = filled.value();
    CHECK(once >= 64);
    read_all(fd.get(), in.span());
    CHECK(filled.value() == once);
    SECTION("by posix_fadvise")
    {
        REQUIRE(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED) == 0);
    }
    SECTION("by drop_caches")
    {
        REQUIRE(control::get().write("/proc/sys/vm/drop_caches", "1") == 0);
    }
    read_all(fd.get(), in.span());
    CHECK(filled.value() >= once + 64);
}

TEST_CASE_METHOD(device_fixture, "a reader in sequence finds what comes next read in already",
                 "[cache]")
{
    const auto fd = open_node();
    const memory in(1);
    const gain filled("cache_read");
    for (std::size_t page = 0; page < 4; page++) read_all(fd.get(), in.span(), page * page_size);
    CHECK(eventually([&] { return filled.value() > 8; }));
    SECTION("not when it said that it reads at random")
    {
        drop_cached();
        const auto random = open_node();
        REQUIRE(::posix_fadvise(random.get(), 0, 0, POSIX_FADV_RANDOM) == 0);
        const gain exact("cache_read");
        read_all(random.get(), in.span(), 16 * page_size);
        CHECK(exact.value() == 1);
    }
    SECTION("and when it asked for it")
    {
        drop_cached();
        const gain ahead("cache_read");
        REQUIRE(::posix_fadvise(fd.get(), 8 * megabyte, 32 * page_size, POSIX_FADV_WILLNEED) == 0);
        CHECK(eventually([&] { return ahead.value() >= 32; }));
    }
}

TEST_CASE_METHOD(device_fixture, "dirty pages are written back by sync, and by the flusher in time",
                 "[cache]")
{
    const auto fd = open_node();
    const memory out(16);
    fill_random(out.span(), 302);
    const gain written("bytes_written");
    SECTION("by sync")
    {
        write_all(fd.get(), out.span());
        ::sync();
        CHECK(written.value() == out.size());
    }
    SECTION("by the flusher")
    {
        const machine_setting old("dirty_expire_centisecs", "10"),
            often("dirty_writeback_centisecs", "10");
        write_all(fd.get(), out.span());
        CHECK(eventually([&] { return written.value() == out.size(); }, 60));
    }
    const memory in(16);
    const auto direct = open_direct();
    read_all(direct.get(), in.span());
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture,
                 "who dirties pages faster than the device takes them is slowed down", "[cache]")
{
    const machine_setting background("dirty_background_bytes", std::to_string(megabyte),
                                     "dirty_background_ratio"),
        most("dirty_bytes", std::to_string(2 * megabyte), "dirty_ratio");
    const setting bandwidth("bandwidth", std::to_string(8 * megabyte));
    const auto fd = open_node();
    const memory out(256);
    const auto begin = steady_clock::now();
    for (std::size_t at = 0; at < 16 * megabyte; at += out.size())
        write_all(fd.get(), out.span(), at);
    // All but what may be dirty has gone through the device: 14 MiB at 8 MiB/s; half of that is
    // more than any copy takes.
    CHECK(steady_clock::now() - begin > std::chrono::milliseconds(800));
    const setting unlimited("bandwidth", "0");
    CHECK(::fsync(fd.get()) == 0);
}

TEST_CASE_METHOD(device_fixture, "a write to a part of a page keeps the rest, cached or not",
                 "[cache]")
{
    const auto fd = open_node();
    const auto direct = open_direct();
    const memory out(3), in(3);
    fill_random(out.span(), 303);
    write_all(direct.get(), out.span());
    if (GENERATE(true, false)) read_all(fd.get(), in.span());
    for (const auto& [at, length] : {std::pair<std::size_t, std::size_t>{1, 1},
                                     {4000, 200},
                                     {4096, 4096},
                                     {8192 + 100, 3000}}) {
        const auto some = random_vector(length, at);
        write_all(fd.get(), some, at);
        std::copy(some.begin(), some.end(), out.data() + at);
    }
    read_all(fd.get(), in.span());
    CHECK(same(in.span(), out.span()));
    read_all(direct.get(), in.span());
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture, "dirty pages are data to lseek, and discard forgets them",
                 "[cache]")
{
    discard_all();
    const auto fd = open_node();
    const memory out(1), in(1);
    fill_random(out.span(), 304);
    const off_t at = 64 * page_size;
    write_all(fd.get(), out.span(), at);
    CHECK(::lseek(fd.get(), 0, SEEK_DATA) == at);
    CHECK(::lseek(fd.get(), at, SEEK_HOLE) == at + static_cast<off_t>(page_size));
    const gain written("bytes_written");
    const auto node = scullpin::device::open(node_path, scullpin::access::read_write, false);
    SECTION("whole pages")
    {
        node.discard(at, page_size);
        CHECK(::lseek(fd.get(), 0, SEEK_DATA) == -1);
        CHECK(errno == ENXIO);
        CHECK(::fsync(fd.get()) == 0);
        CHECK(written.value() == 0);
        read_all(fd.get(), in.span(), at);
        CHECK(all_equal(in.span(), std::byte{0}));
    }
    SECTION("a part of a page")
    {
        const auto block = attribute("logical_block_size");
        if (block == page_size) SKIP("no part of a page can be discarded on this device");
        node.discard(at + block, block);
        std::fill_n(out.data() + block, block, std::byte{0});
        read_all(fd.get(), in.span(), at);
        CHECK(same(in.span(), out.span()));
        read_all(open_direct().get(), in.span(), at);
        CHECK(same(in.span(), out.span()));
    }
}

TEST_CASE_METHOD(device_fixture, "a direct read sees cached writes, a cached read direct ones",
                 "[cache]")
{
    const auto plain = open_node(), direct = open_direct();
    const memory out(8), in(8);
    for (std::uint64_t seed = 310; seed < 320; seed++) {
        fill_random(out.span(), seed);
        write_all(plain.get(), out.span());
        read_all(direct.get(), in.span());
        REQUIRE(same(in.span(), out.span()));
        fill_random(out.span(), seed + 100);
        write_all(direct.get(), out.span());
        read_all(plain.get(), in.span());
        REQUIRE(same(in.span(), out.span()));
    }
}

TEST_CASE_METHOD(device_fixture,
                 "what was cached while a direct write was in flight is old, and dropped",
                 "[cache]")
{
    const bool asynchronous = GENERATE(true, false);
    const auto plain = open_node(), direct = open_direct();
    const memory out(2), in(2);
    fill_random(out.span(), 321);
    write_all(direct.get(), in.span());
    aio context;
    auto request = aio::request(direct.get(), IOCB_CMD_PWRITE, out.data(), out.size(), 0);
    std::future<ssize_t> written;
    {
        const setting latency("latency_us", "1500000");
        if (asynchronous)
            REQUIRE(context.submit(request) == 1);
        else
            written =
                std::async(std::launch::async, ::pwrite, direct.get(), out.data(), out.size(), 0);
        REQUIRE(eventually([] { return attribute("stats/in_flight") == 1; }));
    }
    read_all(plain.get(), in.span());
    CHECK(all_equal(in.span(), std::byte{0}));
    CHECK((asynchronous ? context.wait(1).front().res : written.get()) ==
          static_cast<std::int64_t>(out.size()));
    read_all(plain.get(), in.span());
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(
    device_fixture,
    "a page that is dirtied while a direct write is in flight comes last, and is counted",
    "[cache]")
{
    const auto plain = open_node(), direct = open_direct();
    const view mapped(plain.get(), page_size);
    const memory out(1), in(1);
    out.fill(std::byte{0x11});
    aio context;
    const gain overtaken("cache_overtaken");
    {
        const setting latency("latency_us", "400000");
        auto request = aio::request(direct.get(), IOCB_CMD_PWRITE, out.data(), page_size, 0);
        REQUIRE(context.submit(request) == 1);
    }
    std::memset(mapped.data(), 0x22, page_size);
    CHECK(context.wait(1).front().res == static_cast<std::int64_t>(page_size));
    CHECK(overtaken.value() == 1);
    read_all(direct.get(), in.span());
    CHECK(all_equal(in.span(), std::byte{0x22}));
}

TEST_CASE_METHOD(device_fixture,
                 "a direct write that cannot drop a page goes through the cache, and is counted",
                 "[cache]")
{
    const auto plain = open_node(), direct = open_direct();
    const view mapped(plain.get(), 2 * page_size);
    const memory out(2), in(2);
    const gain fallbacks("cache_fallbacks");
    // Dirties the second page over and over, so also while it is written back.
    std::atomic<bool> stop{false};
    std::thread dirtier([&] {
        while (!stop) mapped.store(page_size + 8, std::byte{0x33});
    });
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    std::uint64_t seed = 330;
    {
        const setting latency("latency_us", "20000");
        while (fallbacks.value() == 0 && steady_clock::now() < deadline) {
            fill_random(out.span(), seed++);
            REQUIRE(::pwrite(direct.get(), out.data(), out.size(), 0) ==
                    static_cast<ssize_t>(out.size()));
        }
    }
    stop = true;
    dirtier.join();
    CHECK(fallbacks.value() > 0);
    read_all(plain.get(), in.span());
    CHECK(same(in.span().first(page_size), out.span().first(page_size)));
    read_all(direct.get(), in.span());
    CHECK(same(in.span().first(page_size), out.span().first(page_size)));
}

TEST_CASE_METHOD(device_fixture, "write-back goes on in a memory cgroup that is full", "[cache]")
{
    const memory_group group(std::to_string(24 * megabyte));
    if (!group) SKIP("no control group that bounds memory can be made");
    const auto size = std::min<std::uint64_t>(attribute("size"), 8 * megabyte);
    discard_all();
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    scullpin::file_descriptor waits(ends[0]), goes(ends[1]);
    const pid_t child = in_child([&] {
        goes = {};
        char go = 0;
        (void)!::read(waits.get(), &go, 1);
        const auto fd = open_node();
        const memory out(16);
        // Each byte takes two: one cached, one on the medium; the cached ones must go again.
        for (int round = 0; round < 3; round++) {
            for (std::uint64_t at = 0; at < size; at += out.size()) {
                fill_random(out.span(), at);
                if (::pwrite(fd.get(), out.data(), out.size(), static_cast<off_t>(at)) !=
                    static_cast<ssize_t>(out.size()))
                    ::_exit(2);
            }
        }
        if (::fsync(fd.get()) != 0) ::_exit(3);
    });
    group.add(child);
    goes = {};
    const int status = wait_for(child, 100);
    INFO("2: a write failed, 3: fsync failed, a signal: no memory at all");
    CHECK(status == 0);
    const memory out(16), in(16);
    const auto direct = open_direct();
    for (std::uint64_t at = 0; at < size; at += out.size()) {
        fill_random(out.span(), at);
        read_all(direct.get(), in.span(), at);
        REQUIRE(same(in.span(), out.span()));
    }
}

TEST_CASE_METHOD(
    device_fixture,
    "a cached write that cannot read the rest of its page in is an error, and changes nothing",
    "[.][fault][cache]")
{
    const auto fd = open_node();
    const memory out(1), in(1);
    fill_random(out.span(), 340);
    write_all(open_direct().get(), out.span());
    const gain written("bytes_written");
    {
        const fault byte("engine_bytes", GENERATE(1, 100));
        CHECK(::pwrite(fd.get(), "x", 1, 100) == -1);
        CHECK(errno == EIO);
        CHECK(byte.fired());
    }
    CHECK(::fsync(fd.get()) == 0);
    CHECK(written.value() == 0);
    read_all(fd.get(), in.span());
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture, "a read that the device fails is EIO, and right when asked again",
                 "[.][fault][cache]")
{
    const auto fd = open_node();
    const setting completion("completion", GENERATE("auto", "deferred"));
    REQUIRE(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_RANDOM) == 0);
    const memory out(2), in(2);
    fill_random(out.span(), 341);
    write_all(open_direct().get(), out.span());
    {
        // The second page is tried twice, ahead and on demand.
        const fault slow("engine_bytes", page_size + 1);
        CHECK(::pread(fd.get(), in.data(), in.size(), 0) > 0);
        CHECK(slow.fired());
    }
    read_all(fd.get(), in.span());
    CHECK(same(in.span(), out.span()));
}
