// SPDX-License-Identifier: MIT
// Pages that the device wrote are marked dirty: shown by two pages that would be lost otherwise.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aio.hpp"
#include "control.hpp"
#include "fixture.hpp"
#include "memory.hpp"

namespace {

/// Lists of pages under way are kept per CPU: stay on one, so that reclaim finds what it shall
/// take.
class on_one_cpu {
public:
    on_one_cpu()
    {
        ::sched_getaffinity(0, sizeof(before_), &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(::sched_getcpu(), &one);
        ::sched_setaffinity(0, sizeof(one), &one);
    }
    ~on_one_cpu() { ::sched_setaffinity(0, sizeof(before_), &before_); }
    on_one_cpu(const on_one_cpu&) = delete;
    on_one_cpu& operator=(const on_one_cpu&) = delete;

private:
    cpu_set_t before_{};
};

/// A disk file system on a RAM disk, made and mounted for one test.
class ext4_mount {
public:
    ext4_mount()
    {
        REQUIRE(control::get().run("mkfs.ext4 -q -F /dev/ram0 && mkdir -p " + path +
                                   " && mount /dev/ram0 " + path + " && chmod 0777 " + path) == 0);
    }
    ~ext4_mount() { control::get().run("umount " + path); }
    ext4_mount(const ext4_mount&) = delete;
    ext4_mount& operator=(const ext4_mount&) = delete;

    inline static const std::string path = "/run/scullpin-ext4";
};

}  // namespace

TEST_CASE_METHOD(device_fixture, "a lazily freed page that the device wrote survives reclaim")
{
    const on_one_cpu stay;
    const bool asynchronous = GENERATE(false, true);
    const setting completion("completion", asynchronous ? "deferred" : "auto");
    constexpr std::size_t pages = 16;
    const auto fd = open_direct();
    const memory expected(pages), target(2 * pages);
    fill_random(expected.span(), 41);
    REQUIRE(::pwrite(fd.get(), expected.data(), expected.size(), 0) ==
            static_cast<ssize_t>(expected.size()));

    REQUIRE(::madvise(target.data(), target.size(), MADV_NOHUGEPAGE) == 0);
    std::memset(target.data(), 0x5a, target.size());
    // Clean from here on, and free to go unless somebody marks them dirty. Their page tables still
    // allow writing, so the pin is a fast one.
    REQUIRE(::madvise(target.data(), target.size(), MADV_FREE) == 0);
    aio context;
    if (asynchronous)
        REQUIRE(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, target.data(), expected.size(),
                                         0)) == static_cast<std::int64_t>(expected.size()));
    else
        REQUIRE(::pread(fd.get(), target.data(), expected.size(), 0) ==
                static_cast<ssize_t>(expected.size()));
    REQUIRE(::madvise(target.data(), target.size(), MADV_PAGEOUT) == 0);

    CHECK(same(target.span().first(expected.size()), expected.span()));
    INFO(
        "pages beside them, which the device did not write, must have gone: else this test shows "
        "nothing");
    CHECK(all_equal(target.span().subspan(expected.size()), std::byte{0}));
}

TEST_CASE_METHOD(
    device_fixture,
    "a page of a mapped file that was cleaned while the device wrote it reaches the disk")
{
    const ext4_mount mounted;
    const std::string path = ext4_mount::path + "/file";
    constexpr std::size_t size = 16 * page_size;
    const auto node = open_direct();
    const memory expected(16);
    fill_random(expected.span(), 43);
    REQUIRE(::pwrite(node.get(), expected.data(), size, 0) == size);
    {
        const auto file = scullpin::file_descriptor::open(path, O_RDWR | O_CREAT);
        const std::vector<char> zeros(size);
        REQUIRE(::write(file.get(), zeros.data(), size) == size);
        REQUIRE(::fsync(file.get()) == 0);
        auto* mapping = static_cast<std::byte*>(
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
        REQUIRE(mapping != MAP_FAILED);
        aio context;
        {
            const setting latency("latency_us", "700000");
            auto request = aio::request(node.get(), IOCB_CMD_PREAD, mapping, size, 0);
            REQUIRE(context.submit(request) == 1);
            // Pinned and dirty by the fault; cleaned here, before the data is there.
            REQUIRE(::msync(mapping, size, MS_SYNC) == 0);
            REQUIRE(context.poll() == 0);
            REQUIRE(context.wait(1).front().res == size);
        }
        REQUIRE(::msync(mapping, size, MS_SYNC) == 0);
        REQUIRE(::munmap(mapping, size) == 0);
    }
    REQUIRE(control::get().write("/proc/sys/vm/drop_caches", "3") == 0);
    const auto file = scullpin::file_descriptor::open(path, O_RDONLY);
    const memory got(16);
    REQUIRE(::pread(file.get(), got.data(), size, 0) == size);
    CHECK(same(got.span(), expected.span()));
}

TEST_CASE_METHOD(device_fixture, "only pages that the device wrote are marked dirty")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    memory buffer(8);
    const gain dirtied("pages_dirtied");
    REQUIRE(::pwrite(fd.get(), buffer.data(), buffer.size(), 0) == 32768);
    CHECK(dirtied.value() == 0);
    REQUIRE(::pread(fd.get(), buffer.data(), buffer.size(), 0) == 32768);
    CHECK(dirtied.value() == 8);
    buffer.protect(5, 1, PROT_NONE);
    REQUIRE(::pread(fd.get(), buffer.data(), buffer.size(), 0) == 5 * 4096);
    CHECK(dirtied.value() == 8 + 5);
}
