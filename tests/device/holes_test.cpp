// SPDX-License-Identifier: MIT
// Memory that is not all there: exact short counts, and never a pin left.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "aio.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;

TEST_CASE_METHOD(device_fixture,
                 "a hole at every page of a 64 page buffer ends the transfer exactly there")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto dir = GENERATE(direction::read, direction::write);
    const auto fd = open_direct();
    memory buffer(64);
    for (std::size_t hole = 0; hole < 64; hole++) {
        buffer.protect(hole, 1, PROT_NONE);
        for (const auto& way : all_ways()) {
            if (std::string_view(way.name) == "io_uring fixed") continue;  // cannot be registered
            INFO(way.name << " with a hole at page " << hole);
            const auto expected = hole == 0 ? -EFAULT : static_cast<std::int64_t>(hole * page_size);
            CHECK(way.run(fd.get(), dir, buffer.span(), 0) == expected);
        }
        buffer.protect(hole, 1, PROT_READ | PROT_WRITE);
    }
}

TEST_CASE_METHOD(device_fixture, "a plain transfer is short at a hole, too")
{
    const auto fd = open_node();
    memory buffer(4);
    buffer.protect(2, 1, PROT_NONE);
    CHECK(::pread(fd.get(), buffer.data(), buffer.size(), 0) == 8192);
    CHECK(::pwrite(fd.get(), buffer.data(), buffer.size(), 0) == 8192);
    CHECK(::pread(fd.get(), buffer.page(2), 4096, 0) == -1);
    CHECK(errno == EFAULT);
}

TEST_CASE_METHOD(device_fixture,
                 "a short count is cut down to whole blocks, and less than one is EFAULT")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto block = attribute("logical_block_size"), alignment = attribute("dma_alignment");
    if (alignment >= block) SKIP("memory cannot be off a block on this device");
    const auto fd = open_direct();
    memory buffer(4);
    buffer.protect(2, 1, PROT_NONE);
    auto* off_block = buffer.data() + alignment;
    const auto whole = static_cast<ssize_t>((8192 - alignment) / block * block);
    CHECK(::pread(fd.get(), off_block, 12288, 0) == whole);
    CHECK(::pwrite(fd.get(), off_block, 12288, 0) == whole);
    CHECK(::pread(fd.get(), buffer.page(2) - alignment, block, 0) == -1);
    CHECK(errno == EFAULT);
}

TEST_CASE_METHOD(device_fixture,
                 "a second page that cannot be had leaves no pin behind in a thousand tries")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    memory buffer(2);
    buffer.protect(1, 1, PROT_NONE);
    aio context;
    for (int i = 0; i < 1024; i++) {
        REQUIRE(::pread(fd.get(), buffer.data(), 8192, 0) == 4096);
        REQUIRE(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), 8192, 0)) ==
                4096);
    }
}

TEST_CASE_METHOD(device_fixture, "writing from read-only memory works, reading into it is EFAULT")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    memory out(2), in(2);
    fill_random(out.span(), 31);
    out.protect(0, 2, PROT_READ);
    aio context;
    CHECK(::pwrite(fd.get(), out.data(), 8192, 0) == 8192);
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PWRITE, out.data(), 8192, 8192)) == 8192);
    CHECK(::pread(fd.get(), in.data(), 8192, 8192) == 8192);
    CHECK(same(out.span(), in.span()));
    CHECK(::pread(fd.get(), out.data(), 8192, 0) == -1);
    CHECK(errno == EFAULT);
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, out.data(), 8192, 0)) == -EFAULT);
}

TEST_CASE_METHOD(device_fixture,
                 "reading into fresh private memory never changes the page it was copied from")
{
    const auto fd = open_direct();
    memory out(1);
    out.fill(std::byte{0x77});
    REQUIRE(::pwrite(fd.get(), out.data(), 4096, 0) == 4096);
    // Never written: both map the one zero page until somebody writes.
    const memory first(1), second(1);
    REQUIRE(all_equal(first.span(), std::byte{0}));
    REQUIRE(all_equal(second.span(), std::byte{0}));
    REQUIRE(::pread(fd.get(), first.data(), 4096, 0) == 4096);
    CHECK(all_equal(first.span(), std::byte{0x77}));
    CHECK(all_equal(second.span(), std::byte{0}));
}

TEST_CASE_METHOD(device_fixture, "addresses of the kernel and beyond the end are EFAULT")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    for (const std::uintptr_t address :
         {std::uintptr_t{0}, std::uintptr_t{0x7ffffffff000}, std::uintptr_t{0xffff888000000000},
          ~std::uintptr_t{0} - 4095}) {
        INFO("address " << address);
        auto* where = reinterpret_cast<void*>(address);  // on purpose not ours
        CHECK(::pread(fd.get(), where, 4096, 0) == -1);
        CHECK(errno == EFAULT);
        CHECK(::pwrite(fd.get(), where, 4096, 0) == -1);
        CHECK(errno == EFAULT);
    }
}
