// SPDX-License-Identifier: MIT
// The sparse medium: zeros, holes, discard, sizes, questions.
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "control.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "scullpin/device.hpp"
#include "uapi/scullpin.h"

namespace {

/// The result of a call that fails, as -errno.
template <typename Result>
long answer(Result result)
{
    return result < 0 ? -errno : static_cast<long>(result);
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "areas that were never written read as zeros, directly and plainly")
{
    discard_all();
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const setting completion("completion", GENERATE("auto", "deferred"));
    const memory in(32);
    for (const off_t offset :
         {off_t{0}, off_t{1} << 20, static_cast<off_t>(attribute("size") - in.size())}) {
        std::memset(in.data(), 0x33, in.size());
        REQUIRE(::pread(fd.get(), in.data(), in.size(), offset) == static_cast<ssize_t>(in.size()));
        CHECK(all_equal(in.span(), std::byte{0}));
    }
}

TEST_CASE_METHOD(device_fixture,
                 "the untouched part of a page that was partly written reads as zeros")
{
    discard_all();
    const auto plain = open_node();
    const memory in(64);
    // Many pages, so that recycled ones are among them.
    for (off_t page = 0; page < 64; page++)
        REQUIRE(::pwrite(plain.get(), "x", 1, page * 4096 + 100) == 1);
    REQUIRE(::pread(plain.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    for (std::size_t page = 0; page < 64; page++) {
        CHECK(all_equal({in.page(page), 100}, std::byte{0}));
        CHECK(in.page(page)[100] == std::byte{'x'});
        CHECK(all_equal({in.page(page) + 101, 4096 - 101}, std::byte{0}));
    }
}

TEST_CASE_METHOD(device_fixture,
                 "discard makes a range zero to the byte, and gives whole pages back")
{
    discard_all();
    const auto node = scullpin::device::open(node_path, scullpin::access::read_write, false);
    const auto block = attribute("logical_block_size");
    const memory full(16), in(16);
    std::memset(full.data(), 0xff, full.size());
    const auto allocated = [&] {
        scullpin_info info{};
        info.struct_size = sizeof(info);
        REQUIRE(::ioctl(node.fd(), SCULLPIN_IOC_INFO, &info) == 0);
        return info.allocated;
    };
    struct range {
        std::uint64_t offset, length;
    };
    for (const auto& [offset, length] :
         {range{0, 4096}, range{block, block}, range{4096 - block, 2 * block},
          range{4096 + block, 3 * 4096}, range{0, 65536}}) {
        INFO("discard " << length << " at " << offset);
        REQUIRE(::pwrite(node.fd(), full.data(), full.size(), 0) == 65536);
        REQUIRE(allocated() == 65536);
        node.discard(offset, length);
        REQUIRE(::pread(node.fd(), in.data(), in.size(), 0) == 65536);
        CHECK(all_equal(in.span().first(offset), std::byte{0xff}));
        CHECK(all_equal(in.span().subspan(offset, length), std::byte{0}));
        CHECK(all_equal(in.span().subspan(offset + length), std::byte{0xff}));
        const auto whole_pages = (offset + length) / 4096 > (offset + 4095) / 4096
                                     ? (offset + length) / 4096 - (offset + 4095) / 4096
                                     : 0;
        CHECK(allocated() == 65536 - whole_pages * 4096);
    }
}

TEST_CASE_METHOD(device_fixture, "lseek knows the end, data and holes, and refuses what is beyond")
{
    discard_all();
    const auto fd = open_node();
    const auto size = static_cast<off_t>(attribute("size"));
    const auto seek = [&](off_t offset, int whence) {
        return answer(::lseek(fd.get(), offset, whence));
    };
    CHECK(seek(0, SEEK_END) == size);
    CHECK(seek(-1, SEEK_END) == size - 1);
    CHECK(seek(1, SEEK_END) == -EINVAL);
    CHECK(seek(-1, SEEK_SET) == -EINVAL);
    CHECK(seek(0, SEEK_DATA) == -ENXIO);
    CHECK(seek(0, SEEK_HOLE) == 0);
    REQUIRE(::pwrite(fd.get(), "x", 1, 5 * 4096 + 7) == 1);
    REQUIRE(::pwrite(fd.get(), "x", 1, size - 1) == 1);
    CHECK(seek(0, SEEK_DATA) == 5 * 4096);
    CHECK(seek(5 * 4096 + 9, SEEK_DATA) == 5 * 4096 + 9);
    CHECK(seek(5 * 4096 + 9, SEEK_HOLE) == 6 * 4096);
    CHECK(seek(6 * 4096, SEEK_DATA) == size / 4096 * 4096 - (size % 4096 == 0 ? 4096 : 0));
    CHECK(seek(size - 1, SEEK_HOLE) == size);
    CHECK(seek(size, SEEK_DATA) == -ENXIO);
    CHECK(seek(size, SEEK_HOLE) == -ENXIO);
    CHECK(seek(-1, SEEK_DATA) == -ENXIO);
    CHECK(seek(0, 77) == -EINVAL);
    discard_all();
}

TEST_CASE_METHOD(device_fixture, "the block layer's questions are answered")
{
    const auto fd = open_node();
    std::uint64_t size = 0;
    int block = 0;
    unsigned physical = 0;
    CHECK(::ioctl(fd.get(), BLKGETSIZE64, &size) == 0);
    CHECK(size == attribute("size"));
    CHECK(::ioctl(fd.get(), BLKSSZGET, &block) == 0);
    CHECK(static_cast<std::uint64_t>(block) == attribute("logical_block_size"));
    CHECK(::ioctl(fd.get(), BLKPBSZGET, &physical) == 0);
    CHECK(physical == 4096);
    CHECK(answer(::ioctl(fd.get(), BLKGETSIZE64, nullptr)) == -EFAULT);
    CHECK(answer(::ioctl(fd.get(), BLKROGET, &block)) == -ENOTTY);
    CHECK(answer(::ioctl(fd.get(), _IO(SCULLPIN_IOC_MAGIC, 99))) == -ENOTTY);
}

TEST_CASE_METHOD(device_fixture,
                 "info fills what older and newer callers have room for, and nothing beyond")
{
    const auto fd = open_node();
    memory page(2);
    page.protect(1, 1, PROT_NONE);
    struct newer {
        scullpin_info info;
        std::uint64_t future;
    } larger{};
    larger.info.struct_size = sizeof(larger);
    larger.future = 0x1234;
    REQUIRE(::ioctl(fd.get(), SCULLPIN_IOC_INFO, &larger) == 0);
    CHECK(larger.info.struct_size == SCULLPIN_INFO_SIZE_VER0);
    CHECK(larger.info.size == attribute("size"));
    CHECK(larger.info.logical_block_size == attribute("logical_block_size"));
    CHECK(larger.info.dma_alignment == attribute("dma_alignment"));
    CHECK(larger.info.max_pinned == attribute("max_pinned"));
    std::string engine;
    std::ifstream(sysfs_path + "engine") >> engine;
    CHECK(larger.info.engine == engine);
    CHECK(larger.info.flags == 0);
    CHECK(larger.future == 0x1234);

    // At the very end of memory that is there: not one byte beyond is touched.
    auto* last = page.page(1) - SCULLPIN_INFO_SIZE_VER0;
    const std::uint32_t size = SCULLPIN_INFO_SIZE_VER0;
    std::memcpy(last, &size, sizeof(size));
    CHECK(::ioctl(fd.get(), SCULLPIN_IOC_INFO, last) == 0);
    std::memcpy(last + 8, &size, sizeof(size));
    CHECK(answer(::ioctl(fd.get(), SCULLPIN_IOC_INFO, last + 8)) == -EFAULT);
    const std::uint32_t small = SCULLPIN_INFO_SIZE_VER0 - 1;
    std::memcpy(last, &small, sizeof(small));
    CHECK(answer(::ioctl(fd.get(), SCULLPIN_IOC_INFO, last)) == -EINVAL);
    CHECK(answer(::ioctl(fd.get(), SCULLPIN_IOC_INFO, nullptr)) == -EFAULT);
}

TEST_CASE_METHOD(device_fixture,
                 "discard refuses sizes, flags, ranges and descriptors that are wrong")
{
    const auto fd = open_node();
    const auto read_only = scullpin::file_descriptor::open(node_path, O_RDONLY);
    const auto block = attribute("logical_block_size"), size = attribute("size");
    const auto call = [](int on, scullpin_discard range) {
        return answer(::ioctl(on, SCULLPIN_IOC_DISCARD, &range));
    };
    const std::uint32_t right = sizeof(scullpin_discard);
    CHECK(call(fd.get(), {right, 0, 0, block}) == 0);
    CHECK(call(read_only.get(), {right, 0, 0, block}) == -EBADF);
    CHECK(call(fd.get(), {right - 1, 0, 0, block}) == -EINVAL);
    CHECK(call(fd.get(), {right, 1, 0, block}) == -EINVAL);
    CHECK(call(fd.get(), {right, 0, 0, 0}) == -EINVAL);
    CHECK(call(fd.get(), {right, 0, 1, block}) == -EINVAL);
    CHECK(call(fd.get(), {right, 0, 0, block + 1}) == -EINVAL);
    CHECK(call(fd.get(), {right, 0, size, block}) == -EINVAL);
    CHECK(call(fd.get(), {right, 0, size - block, 2 * block}) == -EINVAL);
    CHECK(call(fd.get(), {right, 0, block, ~std::uint64_t{0} - block + 1}) == -EINVAL);
    CHECK(answer(::ioctl(fd.get(), SCULLPIN_IOC_DISCARD, nullptr)) == -EFAULT);

    struct newer {
        scullpin_discard range;
        std::uint64_t future;
    } larger{{sizeof(newer), 0, 0, block}, 0};
    CHECK(answer(::ioctl(fd.get(), SCULLPIN_IOC_DISCARD, &larger)) == 0);
    larger.future = 1;
    CHECK(answer(::ioctl(fd.get(), SCULLPIN_IOC_DISCARD, &larger)) == -E2BIG);
}

TEST_CASE_METHOD(device_fixture,
                 "poll is always ready, and fsync of nothing dirty has nothing to wait for")
{
    const auto fd = open_node();
    pollfd entry{fd.get(), POLLIN | POLLOUT, 0};
    CHECK(::poll(&entry, 1, 0) == 1);
    CHECK(entry.revents == (POLLIN | POLLOUT));
    CHECK(::fsync(fd.get()) == 0);
    CHECK(::fdatasync(fd.get()) == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "the node is root's own, and its settings cannot be written by others")
{
    CHECK(control::get().run("test \"$(stat -c %U:%G " + node_path + ")\" = root:root") == 0);
    CHECK(control::get().run("test -z \"$(find " + sysfs_path +
                             " -maxdepth 2 -type f -perm /022)\"") == 0);
}

TEST_CASE_METHOD(device_fixture, "live settings refuse what makes no sense and keep their value")
{
    struct row {
        const char *name, *text;
    };
    for (const auto& [name, text] :
         {row{"completion", "sometimes"}, row{"latency_us", "60000001"}, row{"latency_us", "-1"},
          row{"latency_us", "5 "}, row{"bandwidth", "99999999999999999999"}, row{"max_pinned", "0"},
          row{"max_pinned", "16777216T"}, row{"unaligned", ""}, row{"latency_us", "1x"}}) {
        INFO(name << " = '" << text << "'");
        const auto before = control::get().read(sysfs_path + name);
        const int result = control::get().write(sysfs_path + name, text);
        // A write of nothing is nothing; a space at the end is white space.
        if (*text != '\0' && std::string_view(text) != "5 ")
            CHECK((result == -EINVAL || result == -ERANGE));
        if (std::string_view(text) == "5 ") control::get().write(sysfs_path + name, before);
        CHECK(control::get().read(sysfs_path + name) == before);
    }
    CHECK(control::get().write(sysfs_path + "size", "4096") < 0);
}
