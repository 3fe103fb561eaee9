// SPDX-License-Identifier: MIT
// What happens to memory, files and processes while a request is in flight.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "aio.hpp"
#include "child.hpp"
#include "fixture.hpp"
#include "memory.hpp"

namespace {

constexpr std::size_t pages = 8;
constexpr std::size_t length = pages * page_size;

/// A device that takes its time, with known bytes on it.
struct slow_device {
    slow_device() : expected(random_vector(length, 51)), node(device_fixture::open_direct())
    {
        REQUIRE(::pwrite(device_fixture::open_node().get(), expected.data(), length, 0) == length);
        latency.emplace("latency_us", "300000");
    }
    std::vector<std::byte> expected;
    std::optional<scullpin::file_descriptor> node;
    std::optional<setting> latency;
};

/// Leaves nothing of an earlier call on the thread's stack in the kernel, wherever that began.
void use_kernel_stack()
{
    std::array<char, 4096> text{};
    const scullpin::file_descriptor file(::memfd_create("scullpin", MFD_CLOEXEC));
    for (int i = 0; i < 50; i++) {
        const auto maps = scullpin::file_descriptor::open("/proc/self/smaps", O_RDONLY);
        REQUIRE(::read(maps.get(), text.data(), text.size()) > 0);
        REQUIRE(::pwrite(file.get(), text.data(), text.size(), 0) == 4096);
        std::array<pollfd, 30> polled{};
        for (auto& entry : polled) entry = {file.get(), POLLIN, 0};
        REQUIRE(::poll(polled.data(), polled.size(), 0) >= 0);
    }
}

}  // namespace

TEST_CASE_METHOD(device_fixture, "a request outlives the descriptor it was submitted on")
{
    slow_device device;
    const memory buffer(pages);
    aio context;
    auto request = aio::request(device.node->get(), IOCB_CMD_PREAD, buffer.data(), length, 0);
    REQUIRE(context.submit(request) == 1);
    device.node.reset();
    CHECK(context.wait(1).front().res == length);
    CHECK(same(buffer.span(), device.expected));
}

TEST_CASE_METHOD(device_fixture, "memory that is unmapped in flight is written to by nobody else")
{
    slow_device device;
    memory buffer(pages);
    aio context;
    auto* const address = buffer.data();
    auto request = aio::request(device.node->get(), IOCB_CMD_PREAD, address, length, 0);
    REQUIRE(context.submit(request) == 1);
    buffer.unmap();
    void* other = ::mmap(address, length, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    REQUIRE(other == address);
    std::memset(other, 0x11, length);
    CHECK(context.wait(1).front().res == length);
    CHECK(all_equal({address, length}, std::byte{0x11}));
    ::munmap(other, length);
}

TEST_CASE_METHOD(device_fixture, "memory that is given up in flight reads as zeros afterwards")
{
    slow_device device;
    const memory buffer(pages);
    buffer.page(0)[0] = std::byte{1};
    aio context;
    auto request = aio::request(device.node->get(), IOCB_CMD_PREAD, buffer.data(), length, 0);
    REQUIRE(context.submit(request) == 1);
    REQUIRE(::madvise(buffer.data(), length, MADV_DONTNEED) == 0);
    CHECK(context.wait(1).front().res == length);
    CHECK(all_equal(buffer.span(), std::byte{0}));
}

TEST_CASE_METHOD(device_fixture, "after io_submit the iovec and the stack may be overwritten")
{
    slow_device device;
    const memory buffer(pages), decoy(1);
    aio context;
    const auto submit = [&] {
        std::array<iovec, 4> segments{};
        for (std::size_t i = 0; i < 4; i++) segments[i] = {buffer.page(2 * i), 2 * page_size};
        auto request = aio::request(device.node->get(), IOCB_CMD_PREADV, segments.data(), 4, 0);
        REQUIRE(context.submit(request) == 1);
        for (auto& segment : segments) segment = {decoy.data(), 1};
        std::memset(&request, 0xff, sizeof(request));
    };
    submit();
    std::array<volatile char, 65536> stack{};
    for (auto& byte : stack) byte = 0x7f;
    use_kernel_stack();
    CHECK(context.wait(1).front().res == length);
    CHECK(same(buffer.span(), device.expected));
    CHECK(all_equal(decoy.span(), std::byte{0}));
}

TEST_CASE_METHOD(
    device_fixture,
    "the parent of a fork in flight sees the data, also in pages it writes to meanwhile")
{
    slow_device device;
    const memory buffer(pages);
    buffer.fill(std::byte{0x22});
    aio context;
    // All but the first block, so that the parent can write to the page without touching the
    // transfer.
    const auto skip = static_cast<std::size_t>(attribute("logical_block_size"));
    const std::size_t count = length - skip;
    auto request =
        aio::request(device.node->get(), IOCB_CMD_PREAD, buffer.data() + skip, count, skip);
    REQUIRE(context.submit(request) == 1);
    const pid_t child = in_child([&] {
        for (std::size_t page = 0; page < pages; page++)
            std::memset(buffer.page(page), 0x44, page_size);
    });
    for (std::size_t page = 0; skip < page_size && page < 1; page++)
        buffer.page(page)[0] = std::byte{0x33};
    CHECK(wait_for(child, 5) == 0);
    CHECK(context.wait(1).front().res == static_cast<std::int64_t>(count));
    CHECK(same(buffer.span().subspan(skip), std::span(device.expected).subspan(skip)));
}

TEST_CASE_METHOD(device_fixture,
                 "a write in flight takes the parent's bytes, whatever a forked child does")
{
    slow_device device;
    const memory buffer(pages), in(pages);
    fill_random(buffer.span(), 52);
    const auto sent = std::vector<std::byte>(buffer.data(), buffer.data() + length);
    aio context;
    auto request = aio::request(device.node->get(), IOCB_CMD_PWRITE, buffer.data(), length, 0);
    REQUIRE(context.submit(request) == 1);
    const pid_t child = in_child([&] { std::memset(buffer.data(), 0x44, length); });
    CHECK(wait_for(child, 5) == 0);
    CHECK(context.wait(1).front().res == length);
    device.latency.reset();
    REQUIRE(::pread(device.node->get(), in.data(), length, 0) == length);
    CHECK(same(in.span(), sent));
}

TEST_CASE_METHOD(
    device_fixture,
    "a process that exits or is killed with requests in flight ends in time and leaves nothing")
{
    const bool killed = GENERATE(false, true);
    const slow_device device;
    const pid_t child = in_child([&] {
        aio_context_t context = 0;
        ::syscall(SYS_io_setup, 16, &context);
        const memory buffer(16);
        for (std::size_t i = 0; i < 16; i++) {
            auto request =
                aio::request(device.node->get(), i % 2 == 0 ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
                             buffer.page(i), page_size, (64 + i) * page_size);
            iocb* pointer = &request;
            if (::syscall(SYS_io_submit, context, 1, &pointer) != 1) ::_exit(1);
        }
        if (killed) ::pause();
        ::_exit(0);
    });
    if (killed) {
        REQUIRE(eventually([] { return attribute("stats/in_flight") == 16; }));
        ::kill(child, SIGKILL);
    }
    const int status = wait_for(child, 10);
    CHECK((killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE_METHOD(device_fixture,
                 "a process that is killed in a synchronous call does not wait for a slow device")
{
    const slow_device device;
    drop_cached();
    const bool direct = GENERATE(true, false);
    const setting latency("latency_us", direct ? "30000000" : "4000000");
    const gain deferred("requests_deferred");
    const pid_t child = in_child([&] {
        const auto fd = open_node(direct ? O_DIRECT : 0);
        const memory buffer(1);
        (void)!::pread(fd.get(), buffer.data(), page_size, 0);
    });
    REQUIRE(eventually([&] { return deferred.value() == 1; }));
    ::kill(child, SIGKILL);
    CHECK(WIFSIGNALED(wait_for(child, 20)));
    // What was being read in for it is the cache's, and goes on.
    CHECK(attribute("stats/in_flight") == (direct ? 0 : 1));
    if (direct) CHECK(of_last_ended("result") == -EINTR);
    CHECK(eventually([] { return attribute("stats/in_flight") == 0; }, 20));
}

TEST_CASE_METHOD(device_fixture,
                 "a process that is killed in a direct call does not wait for write-back")
{
    const memory out(1);
    const auto fd = open_node();
    REQUIRE(::pwrite(fd.get(), out.data(), page_size, 0) == page_size);
    const setting latency("latency_us", "4000000");
    const gain deferred("requests_deferred");
    const bool write = GENERATE(true, false);
    const pid_t child = in_child([&] {
        const auto direct = open_direct();
        const memory buffer(1);
        if (write)
            (void)!::pwrite(direct.get(), buffer.data(), page_size, 0);
        else
            (void)!::pread(direct.get(), buffer.data(), page_size, 0);
    });
    REQUIRE(eventually([&] { return deferred.value() == 1; }));
    ::kill(child, SIGKILL);
    CHECK(WIFSIGNALED(wait_for(child, 20)));
    CHECK(attribute("stats/in_flight") == 1);
    CHECK(eventually([] { return attribute("stats/in_flight") == 0; }, 20));
}
