// SPDX-License-Identifier: MIT
// Why a request was refused or cut: an errno does not tell, a counter of the device does.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "aio.hpp"
#include "fault.hpp"
#include "fixture.hpp"
#include "mapping.hpp"
#include "memory.hpp"
#include "uapi/scullpin.h"

namespace {

/// Requests that were refused for one reason since it was made.
class refusals : public gain {
public:
    explicit refusals(const std::string& why) : gain(why, "refused/") {}
};

}  // namespace

TEST_CASE_METHOD(device_fixture, "an unaligned offset, length or address is counted as what it is",
                 "[refused]")
{
    const auto block = attribute("logical_block_size"), alignment = attribute("dma_alignment");
    const auto fd = open_direct();
    const memory buffer(4);
    {
        const refusals offset("unaligned_offset");
        CHECK(::pread(fd.get(), buffer.data(), block, 1) == -1);
        CHECK(offset.value() == 1);
    }
    {
        const refusals length("unaligned_length");
        CHECK(::pwrite(fd.get(), buffer.data(), block - alignment, 0) == -1);
        CHECK(length.value() == 1);
    }
    const refusals address("unaligned_address");
    CHECK(::pread(fd.get(), buffer.data() + 1, block, 0) == -1);
    CHECK(errno == EINVAL);
    CHECK(address.value() == 1);
    // Done as a copy, it is not refused.
    const setting unaligned("unaligned", "buffered");
    CHECK(::pread(fd.get(), buffer.data() + 1, block, 0) == static_cast<ssize_t>(block));
    CHECK(address.value() == 1);
}

TEST_CASE_METHOD(device_fixture,
                 "a hole in the buffer is a bad address, also when it only cuts the request",
                 "[refused]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const memory buffer(40);
    buffer.protect(35, 1, PROT_NONE);
    const refusals bad("bad_address"), forbidden("forbidden_memory");
    CHECK(::pread(fd.get(), buffer.data(), buffer.size(), 0) == 35 * page_size);
    CHECK(bad.value() == 1);
    CHECK(::pwrite(fd.get(), buffer.page(35), page_size, 0) == -1);
    CHECK(errno == EFAULT);
    CHECK(bad.value() == 2);
    CHECK(forbidden.value() == 0);
}

TEST_CASE_METHOD(device_fixture, "secret memory is counted as forbidden, not as a hole",
                 "[refused]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const scullpin::file_descriptor secret(static_cast<int>(::syscall(SYS_memfd_secret, 0)));
    if (!secret) SKIP("this kernel has no secret memory");
    REQUIRE(::ftruncate(secret.get(), page_size) == 0);
    const mapping hidden(page_size, MAP_SHARED, secret.get());
    hidden.data()[0] = std::byte{1};
    const auto fd = open_direct();
    const refusals bad("bad_address"), forbidden("forbidden_memory");
    CHECK(::pread(fd.get(), hidden.data(), page_size, 0) == -1);
    CHECK(::pwrite(fd.get(), hidden.data(), page_size, 0) == -1);
    CHECK(forbidden.value() == 2);
    CHECK(bad.value() == 0);
}

TEST_CASE_METHOD(device_fixture, "who must not wait is told whether for the cap or for the end",
                 "[refused]")
{
    const setting max_pinned("max_pinned", "65536"), latency("latency_us", "200000");
    const auto fd = open_direct();
    const memory first(16), second(1);
    aio context;
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, first.data(), first.size(), 0);
    REQUIRE(context.submit(request) == 1);
    const refusals over("over_max_pinned"), block("would_block");
    auto nowait = aio::request(fd.get(), IOCB_CMD_PREAD, second.data(), page_size, 0);
    nowait.aio_rw_flags = RWF_NOWAIT;
    CHECK(context.run(nowait) == -EAGAIN);
    CHECK(over.value() == 1);
    CHECK(block.value() == 0);
    const iovec segment{second.data(), page_size};
    CHECK(::preadv2(fd.get(), &segment, 1, 0, RWF_NOWAIT) == -1);
    CHECK(over.value() == 1);
    CHECK(block.value() == 1);
    CHECK(::preadv2(open_node().get(), &segment, 1, 0, RWF_NOWAIT) == -1);
    CHECK(block.value() == 2);
    CHECK(context.wait(1).front().res == 65536);
}

TEST_CASE_METHOD(device_fixture, "what lies past the end is counted, a read at the end is not",
                 "[refused]")
{
    const auto fd = open_node();
    const auto end = static_cast<off_t>(attribute("size"));
    const memory buffer(2);
    const refusals past("past_end");
    CHECK(::pread(fd.get(), buffer.data(), page_size, end) == 0);
    CHECK(past.value() == 0);
    CHECK(::pwrite(fd.get(), buffer.data(), page_size, end) == -1);
    CHECK(past.value() == 1);
    CHECK(::pread(fd.get(), buffer.data(), 2 * page_size, end - 4096) == 4096);
    CHECK(past.value() == 2);
}

TEST_CASE_METHOD(device_fixture, "an ioctl that is not understood is counted, a stranger's is not",
                 "[refused]")
{
    const auto fd = open_node();
    const refusals bad("bad_ioctl");
    CHECK(::ioctl(fd.get(), SCULLPIN_IOC_INFO, nullptr) == -1);
    CHECK(errno == EFAULT);
    scullpin_discard discard{};
    CHECK(::ioctl(fd.get(), SCULLPIN_IOC_DISCARD, &discard) == -1);
    CHECK(errno == EINVAL);
    CHECK(::ioctl(fd.get(), _IO(SCULLPIN_IOC_MAGIC, 99)) == -1);
    CHECK(errno == ENOTTY);
    CHECK(bad.value() == 3);
    CHECK(::isatty(fd.get()) == 0);
    CHECK(bad.value() == 3);
}

TEST_CASE_METHOD(device_fixture, "want of memory and a failing engine are told apart",
                 "[.][fault][refused]")
{
    const setting completion("completion", GENERATE("inline", "deferred"));
    const auto fd = open_direct();
    const memory buffer(4);
    discard_all();
    {
        const refusals none("no_memory");
        const fault page("store_page", 1);
        CHECK(::pwrite(fd.get(), buffer.data(), page_size, 0) == -1);
        CHECK(errno == ENOMEM);
        CHECK(none.value() == 1);
    }
    const refusals engine("engine_error");
    const fault bytes("engine_bytes", 1);
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == -1);
    CHECK(errno == EIO);
    CHECK(engine.value() == 1);
}
