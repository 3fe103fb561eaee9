// SPDX-License-Identifier: MIT
// Memory that changes under the I/O: the answers are exact all the same, and no byte beside the
// transfer is touched.
#include <fcntl.h>
#include <linux/mman.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "adversary.hpp"
#include "aio.hpp"
#include "child.hpp"
#include "control.hpp"
#include "fixture.hpp"
#include "mapping.hpp"
#include "memory.hpp"
#include "memory_group.hpp"
#include "userfault.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
constexpr std::size_t pages = 16;
constexpr auto length = static_cast<std::int64_t>(pages * page_size);

/// Whole blocks of a transfer, or the answer to memory that is not there.
bool is_clean(std::int64_t result)
{
    static const auto block = static_cast<std::int64_t>(attribute("logical_block_size"));
    return result == -EFAULT || (result > 0 && result <= length && result % block == 0);
}

/// Rounds that it takes, however slow the machine is.
constexpr std::size_t least_rounds = 4;

/// Reads by libaio and by pread into @p target until the time is up. @return answers that are not
/// clean
std::size_t read_into(int fd, std::byte* target, clock_type::time_point deadline,
                      std::atomic<std::size_t>& rounds)
{
    aio context;
    std::size_t wrong = 0;
    for (; clock_type::now() < deadline || rounds < least_rounds; rounds++) {
        wrong += !is_clean(context.run(aio::request(fd, IOCB_CMD_PREAD, target, length, 0)));
        const auto result = ::pread(fd, target, length, 0);
        wrong += !is_clean(result < 0 ? -errno : result);
        wrong += !is_clean(context.run(aio::request(fd, IOCB_CMD_PWRITE, target, length, length)));
    }
    return wrong;
}

std::string status_line(const std::string& key)
{
    std::ifstream file("/proc/self/status");
    std::string line;
    while (std::getline(file, line))
        if (line.starts_with(key)) return line.substr(line.find_first_of("0123456789"));
    return {};
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "memory that is unmapped, moved, protected and given up against a storm of "
                 "requests is never confused with other memory",
                 "[adversary]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const memory written(pages);
    written.fill(std::byte{0x5a});
    REQUIRE(::pwrite(fd.get(), written.data(), length, 0) == length);
    // The memory that changes lies between two parts that nobody may write to.
    const memory whole(3 * pages), away(pages);
    whole.fill(std::byte{0x11});
    std::byte* const middle = whole.page(pages);
    const auto deadline = clock_type::now() + adversary_duration() / 2;
    std::atomic<std::size_t> wrong{0}, rounds{0};
    std::thread reader([&] { wrong += read_into(fd.get(), middle, deadline, rounds); });
    std::size_t changes = 0;
    while (clock_type::now() < deadline || rounds < least_rounds) {
        std::byte* const place = middle + (changes % pages) * page_size;
        switch (changes++ % 5) {
        case 0: wrong += ::mprotect(place, page_size, PROT_READ) != 0; break;
        case 1: wrong += ::mprotect(middle, length, PROT_READ | PROT_WRITE) != 0; break;
        case 2: wrong += ::madvise(place, page_size, MADV_DONTNEED) != 0; break;
        case 3:
            wrong += ::munmap(place, page_size) != 0;
            wrong += ::mmap(place, page_size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != place;
            break;
        case 4:
            wrong += ::mremap(place, page_size, page_size, MREMAP_MAYMOVE | MREMAP_FIXED,
                              away.data()) != away.data();
            wrong += ::mremap(away.data(), page_size, page_size, MREMAP_MAYMOVE | MREMAP_FIXED,
                              place) != place;
            break;
        }
    }
    reader.join();
    CHECK(wrong == 0);
    CHECK(all_equal(whole.span().first(length), std::byte{0x11}));
    CHECK(all_equal(whole.span().last(length), std::byte{0x11}));
    // What mremap has left a hole at is mapped again for the destructor's sake.
    REQUIRE(::mmap(away.data(), away.size(), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == away.data());
}

TEST_CASE_METHOD(device_fixture,
                 "a file whose pages are the memory may be cut, punched and synced under the I/O",
                 "[adversary]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const scullpin::file_descriptor file(::memfd_create("scullpin", MFD_CLOEXEC));
    REQUIRE(::ftruncate(file.get(), length) == 0);
    const mapping shared(length, MAP_SHARED, file.get());
    const auto deadline = clock_type::now() + adversary_duration() / 2;
    std::atomic<std::size_t> wrong{0}, rounds{0};
    std::thread reader([&] { wrong += read_into(fd.get(), shared.data(), deadline, rounds); });
    for (std::size_t change = 0; clock_type::now() < deadline || rounds < least_rounds; change++) {
        const auto at = static_cast<off_t>(change % pages * page_size);
        wrong += ::ftruncate(file.get(), at) != 0;
        wrong += ::ftruncate(file.get(), length) != 0;
        wrong +=
            ::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, page_size) != 0;
        wrong += ::msync(shared.data(), length, MS_SYNC) != 0;
    }
    reader.join();
    CHECK(wrong == 0);
    // With nobody against it, the same memory gets every byte.
    const auto expected = random_vector(length, 95);
    REQUIRE(::pwrite(open_node().get(), expected.data(), length, 0) == length);
    REQUIRE(::pread(fd.get(), shared.data(), length, 0) == length);
    CHECK(same(shared.span(), expected));
}

TEST_CASE_METHOD(
    device_fixture,
    "memory in flight neither migrates nor is taken offline, afterwards it does, and no "
    "byte is lost",
    "[adversary]")
{
    if (::geteuid() != 0) SKIP("memory is taken offline by root");
    const auto fd = open_direct();
    const bool write = GENERATE(false, true);
    const auto expected = random_vector(4 * page_size, 96);
    const memory buffer(4), in(4);
    std::memcpy((write ? buffer : in).data(), expected.data(), expected.size());
    if (!write) REQUIRE(::pwrite(fd.get(), in.data(), in.size(), 0) == 16384);
    aio context;
    {
        const setting latency("latency_us", "500000");
        iocb request = aio::request(fd.get(), write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
                                    buffer.data(), buffer.size(), 0);
        REQUIRE(context.submit(request) == 1);
    }
    CHECK(::madvise(buffer.page(1), page_size, MADV_SOFT_OFFLINE) == -1);
    CHECK(errno == EBUSY);
    CHECK(control::get().write("/proc/sys/vm/compact_memory", "1") == 0);
    CHECK(context.wait(1).front().res == 16384);
    CHECK(same(buffer.span(), expected));
    for (std::size_t page = 0; page < 4; page++)
        CHECK(eventually(
            [&] { return ::madvise(buffer.page(page), page_size, MADV_SOFT_OFFLINE) == 0; }));
    CHECK(same(buffer.span(), expected));
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 0) == 16384);
    CHECK(same(in.span(), expected));
}

TEST_CASE_METHOD(device_fixture,
                 "who waits within a pin for a page holds up nobody else, and gets all bytes",
                 "[adversary]")
{
    const userfault faults;
    if (!faults) SKIP("the kernel's own faults are not for this user to catch");
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const auto expected = random_vector(length, 96);
    REQUIRE(::pwrite(open_node().get(), expected.data(), length, 0) == length);
    const memory target(pages), other(pages), content(1);
    faults.watch(target.page(5), 1);
    std::atomic<ssize_t> result{0};
    std::thread reader([&] { result = ::pread(fd.get(), target.data(), length, 0); });
    REQUIRE(faults.has_caught(20));
    for (int i = 0; i < 50; i++) {
        REQUIRE(::pread(fd.get(), other.data(), length, 0) == length);
        REQUIRE(::pwrite(fd.get(), other.data(), length, 1 << 20) == length);
    }
    CHECK(result == 0);
    faults.fill(target.page(5), content.data());
    reader.join();
    CHECK(result == length);
    CHECK(same(target.span(), expected));
}

TEST_CASE_METHOD(device_fixture,
                 "a process that is killed while it waits within a pin ends and leaves nothing",
                 "[adversary]")
{
    const userfault possible;
    if (!possible) SKIP("the kernel's own faults are not for this user to catch");
    const auto fd = open_direct();
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const scullpin::file_descriptor told(ends[0]), tells(ends[1]);
    const pid_t child = in_child([&] {
        const userfault faults;
        const memory target(pages);
        faults.watch(target.page(3), 1);
        std::thread reader([&] { (void)!::pread(fd.get(), target.data(), length, 0); });
        const char caught = faults.has_caught(20) ? 'y' : 'n';
        (void)!::write(tells.get(), &caught, 1);
        reader.join();
    });
    char caught = 'n';
    CHECK(::read(told.get(), &caught, 1) == 1);
    CHECK(caught == 'y');
    ::kill(child, SIGKILL);
    CHECK(WIFSIGNALED(wait_for(child, 10)));
}

TEST_CASE_METHOD(device_fixture,
                 "a process that may lock no memory does I/O at full depth, and the bound holds",
                 "[adversary]")
{
    const setting latency("latency_us", "20000"), cap("max_pinned", "131072");
    const auto fd = open_direct();
    const pid_t child = in_child([&] {
        const rlimit none{0, 0};
        if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) ::_exit(1);
        if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
        // The cap is less than this asks for: the last ones wait for the first.
        std::vector<std::thread> readers;
        readers.reserve(16);
        std::atomic<int> short_ones{0};
        for (int i = 0; i < 16; i++)
            readers.emplace_back([&] {
                const memory target(pages);
                short_ones += ::pread(fd.get(), target.data(), length, 0) != length;
            });
        const bool accounted = status_line("VmPin:") != "0 kB" || status_line("VmLck:") != "0 kB";
        for (auto& reader : readers) reader.join();
        ::_exit(short_ones != 0 ? 3 : accounted ? 4 : 0);
    });
    const auto status = wait_for(child, 30);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "a write that may not wait is EAGAIN where the caller's group has no memory left, "
                 "and the device stays whole",
                 "[adversary]")
{
    const memory_group group("8388608");
    if (!group) SKIP("no control group that bounds memory can be made");
    if (attribute("size") < 64 << 20) SKIP("the device is smaller than the group");
    discard_all();
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    scullpin::file_descriptor waits(ends[0]), goes(ends[1]);
    constexpr off_t step = 1 << 20;
    const pid_t child = in_child([&] {
        goes = {};
        char go = 0;
        (void)!::read(waits.get(), &go, 1);
        const memory source(step / page_size);
        source.fill(std::byte{0x77});
        // Given back when there is nothing left: this process must still be able to end by itself.
        const memory headroom(256);
        headroom.fill(std::byte{1});
        ::madvise(headroom.data(), page_size, MADV_DONTNEED);
        off_t at = 0;
        ssize_t result = 0;
        aio context;
        for (; at < 60 * step; at += step) {
            auto request = aio::request(fd.get(), IOCB_CMD_PWRITE, source.data(), step,
                                        static_cast<std::uint64_t>(at));
            request.aio_rw_flags = RWF_NOWAIT;
            result = context.run(request);
            if (result != step) break;
        }
        ::madvise(headroom.data(), headroom.size(), MADV_DONTNEED);
        ::_exit(result == -EAGAIN ? static_cast<int>(at / step) : 255);
    });
    group.add(child);
    goes = {};
    const auto status = wait_for(child, 60);
    REQUIRE(WIFEXITED(status));
    const off_t moved = WEXITSTATUS(status) * step;
    INFO("bytes that went in: " << moved);
    REQUIRE(moved > 0);
    REQUIRE(moved < 60 * step);
    const memory got(step / page_size);
    REQUIRE(::pread(fd.get(), got.data(), step, moved - step) == step);
    CHECK(all_equal(got.span(), std::byte{0x77}));
    REQUIRE(::pread(fd.get(), got.data(), step, moved) == step);
    CHECK(all_equal(got.span(), std::byte{0}));
    REQUIRE(::pwrite(fd.get(), got.data(), step, moved) == step);
    discard_all();
}
