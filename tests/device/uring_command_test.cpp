// SPDX-License-Identifier: MIT
// IORING_OP_URING_CMD: what ioctls and fsync do, asked by io_uring.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "fixture.hpp"
#include "memory.hpp"
#include "ring.hpp"
#include "uapi/scullpin.h"
#include "uring_command.hpp"

TEST_CASE_METHOD(device_fixture, "io_uring asks what the ioctl tells", "[command]")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const unsigned flags =
        GENERATE(0U, unsigned{IORING_SETUP_SQPOLL}, IORING_SETUP_SQE128 | IORING_SETUP_CQE32);
    ring uring(8, flags);
    scullpin_info asked{}, told{};
    asked.struct_size = told.struct_size = sizeof(asked);
    REQUIRE(::ioctl(fd.get(), SCULLPIN_IOC_INFO, &told) == 0);
    const scullpin_uring_info payload{address_of(&asked), 0};
    CHECK(uring.run(command(fd.get(), SCULLPIN_URING_INFO, payload)) == 0);
    CHECK(std::memcmp(&asked, &told, sizeof(asked)) == 0);
    // A caller of an older version gets its part.
    scullpin_info nothing{};
    nothing.struct_size = 8;
    CHECK(uring.run(command(fd.get(), SCULLPIN_URING_INFO,
                            scullpin_uring_info{address_of(&nothing), 0})) == -EINVAL);
}

TEST_CASE_METHOD(device_fixture, "a range is discarded by io_uring, and reads as zeros",
                 "[command]")
{
    const auto fd = open_direct();
    const memory out(4), in(4);
    fill_random(out.span(), 531);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    ring uring;
    CHECK(uring.run(command(fd.get(), SCULLPIN_URING_DISCARD,
                            scullpin_uring_discard{page_size, 2 * page_size})) == 0);
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    CHECK(same({in.page(0), page_size}, {out.page(0), page_size}));
    CHECK(all_equal({in.page(1), 2 * page_size}, std::byte{0}));
    CHECK(same({in.page(3), page_size}, {out.page(3), page_size}));
}

TEST_CASE_METHOD(device_fixture, "write, flush, discard and read are one chain of io_uring",
                 "[command]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const memory out(1), in(1);
    fill_random(out.span(), 532);
    in.fill(std::byte{0x5a});
    ring uring;
    const auto link = [&](std::uint64_t name, auto fill, unsigned flags) {
        uring.prepare([&](auto* entry) {
            fill(entry);
            entry->flags = static_cast<std::uint8_t>(entry->flags | flags);
            io_uring_sqe_set_data64(entry, name);
        });
    };
    link(
        0, [&](auto* entry) { io_uring_prep_write(entry, fd.get(), out.data(), page_size, 8192); },
        IOSQE_IO_LINK);
    link(1, command(fd.get(), SCULLPIN_URING_FLUSH, scullpin_uring_flush{}), IOSQE_IO_LINK);
    link(2, command(fd.get(), SCULLPIN_URING_DISCARD, scullpin_uring_discard{8192, page_size}),
         IOSQE_IO_LINK);
    link(
        3, [&](auto* entry) { io_uring_prep_read(entry, fd.get(), in.data(), page_size, 8192); },
        0);
    REQUIRE(uring.try_submit() == 4);
    constexpr std::array expected{4096, 0, 0, 4096};
    for (std::size_t i = 0; i < 4; i++) {
        const auto done = uring.wait();
        CHECK(done.name == i);
        CHECK(done.result == expected.at(i));
    }
    CHECK(all_equal(in.span(), std::byte{0}));
}

TEST_CASE_METHOD(device_fixture, "commands that make no sense are refused and change nothing",
                 "[command]")
{
    const auto fd = open_direct();
    const auto size = attribute("size");
    const auto block = attribute("logical_block_size");
    const memory out(1), in(1);
    fill_random(out.span(), 533);
    REQUIRE(::pwrite(fd.get(), out.data(), page_size, 0) == page_size);
    ring uring;
    const auto discard = [&](int file, std::uint64_t offset, std::uint64_t length) {
        return uring.run(
            command(file, SCULLPIN_URING_DISCARD, scullpin_uring_discard{offset, length}));
    };
    CHECK(discard(fd.get(), 0, 0) == -EINVAL);
    CHECK(discard(fd.get(), 1, block) == -EINVAL);
    CHECK(discard(fd.get(), 0, block + 1) == -EINVAL);
    CHECK(discard(fd.get(), size, block) == -EINVAL);
    CHECK(discard(fd.get(), 0, size + block) == -EINVAL);
    CHECK(discard(fd.get(), block, ~std::uint64_t{0} / block * block) == -EINVAL);
    const auto reader = scullpin::file_descriptor::open(node_path, O_RDONLY);
    CHECK(discard(reader.get(), 0, block) == -EBADF);
    scullpin_info info{};
    info.struct_size = sizeof(info);
    const auto ask = [&](std::uint64_t address, std::uint64_t reserved) {
        return uring.run(
            command(fd.get(), SCULLPIN_URING_INFO, scullpin_uring_info{address, reserved}));
    };
    CHECK(ask(address_of(&info), 1) == -EINVAL);
    CHECK(ask(0, 0) == -EFAULT);
    CHECK(ask(0xffff'8880'0000'0000, 0) == -EFAULT);  // the kernel's own memory
    CHECK(uring.run(command(fd.get(), SCULLPIN_URING_FLUSH, scullpin_uring_flush{{0, 1}})) ==
          -EINVAL);
    for (const unsigned long unknown :
         {0UL, static_cast<unsigned long>(SCULLPIN_IOC_INFO),
          static_cast<unsigned long>(SCULLPIN_IOC_DISCARD), 0xffff'ffffUL})
        CHECK(uring.run(command(fd.get(), unknown, scullpin_uring_flush{})) == -ENOTTY);
    REQUIRE(::pread(fd.get(), in.data(), page_size, 0) == page_size);
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture, "a ring that polls refuses a command, or carries it out at once",
                 "[command]")
{
    const auto fd = open_direct();
    ring uring(8, IORING_SETUP_IOPOLL);
    // Nothing here ends later, so newer kernels need no function to poll it by.
    const int result = uring.run(command(fd.get(), SCULLPIN_URING_FLUSH, scullpin_uring_flush{}));
    CHECK((result == -EOPNOTSUPP || result == 0));
}
