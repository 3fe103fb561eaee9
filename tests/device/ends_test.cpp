// SPDX-License-Identifier: MIT
// Nothing, the end of the device, and very much.
#include <fcntl.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "aio.hpp"
#include "child.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

std::int64_t by_libaio(int fd, void* memory, std::size_t length)
{
    aio context;
    return context.run(aio::request(fd, IOCB_CMD_PREAD, memory, length, 0));
}

}  // namespace

TEST_CASE_METHOD(device_fixture, "a transfer of nothing is 0 and touches nothing")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const memory buffer(1);
    const gain submitted("requests_submitted");
    CHECK(::pread(fd.get(), buffer.data(), 0, 0) == 0);
    CHECK(::pwrite(fd.get(), buffer.data(), 0, 1) == 0);
    CHECK(::pread(fd.get(), nullptr, 0, static_cast<off_t>(attribute("size")) + 5) == 0);
    aio context;
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), 0, 0)) == 0);
    const std::array<iovec, 2> empty{iovec{buffer.data(), 0}, iovec{nullptr, 0}};
    CHECK(::preadv(fd.get(), empty.data(), 2, 0) == 0);
    CHECK(submitted.value() == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "at the end reads are 0 and writes have no space, across it both are cut")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const auto size = attribute("size");
    const memory buffer(8);
    for (const auto& way : all_ways()) {
        INFO(way.name);
        const auto run = [&](direction dir, std::uint64_t offset) {
            return way.run(fd.get(), dir, buffer.span(), offset);
        };
        CHECK(run(direction::read, size - 4096) == 4096);
        CHECK(run(direction::write, size - 4096) == 4096);
        CHECK(run(direction::read, size) == 0);
        CHECK(run(direction::write, size) == -ENOSPC);
        if (std::string_view(way.name).starts_with("read")) continue;  // lseek refuses to go there
        CHECK(run(direction::read, size + 512) == 0);
        CHECK(run(direction::write, size + (1ull << 40)) == -ENOSPC);
        CHECK(run(direction::read, 1ull << 62) == 0);
        CHECK(run(direction::read, std::uint64_t{1} << 63) == -EINVAL);
    }
}

TEST_CASE_METHOD(
    device_fixture,
    "a transfer of nine megabytes off page boundaries is moved whole, and nothing else")
{
    // More at once than a DMA controller is given, in bytes as in pages.
    constexpr std::size_t pages = 9 * 256;
    const memory out(pages + 1), in(pages + 1);
    if (attribute("size") < out.size()) return;
    constexpr std::size_t moved = pages * page_size;
    std::byte *from = out.data() + 512, *to = in.data() + 512;
    const auto fd = open_direct();
    fill_random(out.span(), 97);
    in.fill(std::byte{0x55});
    CHECK(::pwrite(fd.get(), from, moved, 0) == static_cast<ssize_t>(moved));
    CHECK(::pread(fd.get(), to, moved, 0) == static_cast<ssize_t>(moved));
    CHECK(same({to, moved}, {from, moved}));
    CHECK(all_equal({in.data(), 512}, std::byte{0x55}));
    CHECK(all_equal({to + moved, page_size - 512}, std::byte{0x55}));
}

TEST_CASE_METHOD(
    device_fixture,
    "a request of 1 GiB is moved whole, and one of 4 GiB is cut at the end of the device", "[big]")
{
    constexpr std::size_t gigabyte = std::size_t{1} << 30;
    const bool asynchronous = GENERATE(false, true);
    const auto fd = open_direct();
    REQUIRE(attribute("size") == gigabyte);
    const memory buffer(gigabyte / page_size);
    std::uint64_t word = 0;
    for (std::size_t page = 0; page < gigabyte / page_size; page++)
        std::memcpy(buffer.page(page) + 8 * (page % 512), &(word = page + asynchronous),
                    sizeof(word));
    aio context;
    const auto run = [&](int opcode) -> std::int64_t {
        if (asynchronous)
            return context.run(aio::request(fd.get(), opcode, buffer.data(), gigabyte, 0));
        return opcode == IOCB_CMD_PWRITE
                   ? ::pwrite(fd.get(), buffer.data(), gigabyte, 0)
                   : ::pread(fd.get(), buffer.data(), std::size_t{1} << 32, 0);
    };
    REQUIRE(run(IOCB_CMD_PWRITE) == gigabyte);
    for (std::size_t page = 0; page < gigabyte / page_size; page++)
        std::memset(buffer.page(page) + 8 * (page % 512), 0xee, sizeof(word));
    REQUIRE(run(IOCB_CMD_PREAD) == gigabyte);
    std::size_t wrong = 0;
    for (std::size_t page = 0; page < gigabyte / page_size; page++) {
        std::memcpy(&word, buffer.page(page) + 8 * (page % 512), sizeof(word));
        wrong += word != page + asynchronous;
    }
    CHECK(wrong == 0);
    discard_all();
}

TEST_CASE_METHOD(device_fixture,
                 "a process that is killed while it fills holes was not short of memory", "[big]")
{
    discard_all();
    const setting completion("completion", GENERATE("auto", "deferred"));
    const gain refused("no_memory", "refused/"), pinned("pages_pinned");
    const auto fd = open_direct();
    const memory buffer(64 << 8);
    buffer.fill(std::byte{1});
    const pid_t child = in_child([&] {
        for (;;)
            for (off_t at = 0; at < 1 << 30; at += 64 << 20)
                (void)!::pwrite(fd.get(), buffer.data(), buffer.size(), at);
    });
    CHECK(eventually([&] { return pinned.value() > 10000; }, 20));
    ::kill(child, SIGKILL);
    wait_for(child, 20);
    CHECK(refused.value() == 0);
    discard_all();
}

TEST_CASE_METHOD(device_fixture,
                 "lengths beyond what a signed count holds are refused or cut, never wrapped")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const memory buffer(1);
    const auto end = static_cast<off_t>(attribute("size")) - 4096;
    for (const std::size_t length :
         {std::size_t{0x7fffffff}, std::size_t{0x80000000}, std::size_t{1} << 32}) {
        CHECK(::pread(fd.get(), buffer.data(), length / 4096 * 4096, end) == 4096);
        CHECK(::pwrite(fd.get(), buffer.data(), length / 4096 * 4096, end) == 4096);
    }
    const volatile std::size_t negative = ~std::size_t{0};  // volatile: the compiler knows better
    CHECK(::pread(fd.get(), buffer.data(), negative, 0) == -1);
    CHECK(errno == EFAULT);
    const std::array<iovec, 2> wrapping{iovec{buffer.data(), 4096},
                                        iovec{buffer.data(), ~std::size_t{0} >> 1}};
    CHECK(::preadv(fd.get(), wrapping.data(), 2, end) == -1);
    CHECK(errno == EFAULT);
}

TEST_CASE_METHOD(device_fixture, "a request beyond MAX_RW_COUNT is cut to it", "[.4g]")
{
    // Little memory mapped many times stands for much: 2 GiB and a bit.
    constexpr std::size_t piece = 64 << 20, pieces = 33, max_rw_count = 0x7ffff000;
    REQUIRE(attribute("size") == 4ull << 30);
    const scullpin::file_descriptor file(::memfd_create("scullpin", MFD_CLOEXEC));
    REQUIRE(::ftruncate(file.get(), piece) == 0);
    auto* all = static_cast<std::byte*>(
        ::mmap(nullptr, pieces * piece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    REQUIRE(all != MAP_FAILED);
    for (std::size_t i = 0; i < pieces; i++)
        REQUIRE(::mmap(all + i * piece, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                       file.get(), 0) != MAP_FAILED);
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    CHECK(::pread(fd.get(), all, pieces * piece, 0) == max_rw_count);
    CHECK(by_libaio(fd.get(), all, pieces * piece) == max_rw_count);
    ::munmap(all, pieces * piece);
}
