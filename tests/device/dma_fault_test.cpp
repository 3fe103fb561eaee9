// SPDX-License-Identifier: MIT
// What never fails by itself in a DMA transfer fails here. Hidden: needs a module with fault
// points, loaded with engine=dma, and QEMU's edu.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "aio.hpp"
#include "edu.hpp"
#include "fault.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "module.hpp"
#include "reach.hpp"

namespace {

void check_works(int fd)
{
    const memory buffer(1);
    CHECK(::pread(fd, buffer.data(), page_size, 0) == page_size);
}

/// A read that meets a fault while another is in flight, for more than a second.
void check_waited_for(const std::string& point, std::uint64_t value)
{
    const auto fd = device_fixture::open_direct();
    const memory others(4), buffer(1);
    aio context(1);
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, others.data(), others.size(), 0);
    REQUIRE(context.submit(request) == 1);
    const fault armed(point, value);
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == page_size);
    CHECK(armed.fired());
    CHECK(context.wait(1).front().res == static_cast<std::int64_t>(others.size()));
}

}  // namespace

TEST_CASE_METHOD(
    device_fixture,
    "without memory for a DMA job the answer is ENOMEM, or EAGAIN to who must not wait",
    "[.][dma-fault]")
{
    const auto fd = open_direct();
    const memory buffer(2);
    const iovec whole{buffer.data(), buffer.size()};
    {
        const fault job("dma_job", 1);
        CHECK(::pread(fd.get(), buffer.data(), buffer.size(), 0) == -1);
        CHECK(errno == ENOMEM);
        CHECK(job.fired());
    }
    // Whoever would have to wait for the controller is told so at once.
    CHECK(::preadv2(fd.get(), &whole, 1, 0, RWF_NOWAIT) == -1);
    CHECK(errno == EAGAIN);
    check_works(fd.get());
}

TEST_CASE_METHOD(device_fixture, "a DMA mapping that cannot be had makes it EIO", "[.][dma-fault]")
{
    const auto fd = open_direct();
    // The caller's page list, then the medium's.
    const unsigned nth = GENERATE(1u, 2u);
    const memory buffer(1);
    // What others have given back a moment ago may not be free yet, and would be waited for.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const fault map("dma_map", nth);
    CHECK(::pread(fd.get(), buffer.data(), buffer.size(), 0) == -1);
    CHECK(errno == EIO);
    CHECK(map.fired());
    check_works(fd.get());
}

TEST_CASE_METHOD(device_fixture,
                 "a DMA mapping that cannot be had beside those of others is waited for",
                 "[.][dma-fault]")
{
    const unsigned nth = GENERATE(1u, 2u);
    check_waited_for("dma_map", nth);
}

TEST_CASE_METHOD(device_fixture, "a DMA mapping that cannot be had while others end is tried again",
                 "[.][dma-fault]")
{
    // It learns that there is no room when who had it has given it back.
    check_waited_for("dma_room", 3000);
}

TEST_CASE_METHOD(device_fixture, "write-back tries again for a DMA mapping that cannot be had",
                 "[.][dma-fault]")
{
    const auto plain = open_node(), direct = open_direct();
    const unsigned nth = GENERATE(1u, 2u);
    const memory out(1), in(1);
    fill_random(out.span(), 780 + nth);
    const gain lost("cache_lost");
    // By who waits for it, and by a worker.
    const setting latency("latency_us", GENERATE("0", "1000"));
    REQUIRE(::pwrite(plain.get(), out.data(), out.size(), 0) == page_size);
    const fault map("dma_map", nth);
    CHECK(::fsync(plain.get()) == 0);
    CHECK(map.fired());
    drop_cached();
    CHECK(::pread(direct.get(), in.data(), in.size(), 0) == page_size);
    CHECK(same(in.span(), out.span()));
    CHECK(lost.value() == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "a DMA mapping that cannot be had behind the first window makes it short",
                 "[.][dma-fault][dma-bounce]")
{
    const auto fd = open_direct();
    constexpr std::size_t window = 16;
    const memory buffer(window + 4);
    keep_out_of_reach(buffer);
    const unsigned nth = GENERATE(3u, 4u);
    const fault map("dma_map", nth);
    CHECK(::pread(fd.get(), buffer.data(), buffer.size(), 0) ==
          static_cast<ssize_t>(window * page_size));
    CHECK(map.fired());
    check_works(fd.get());
}

TEST_CASE_METHOD(module_fixture,
                 "a DMA engine that cannot be set up says why, and nothing of it stays",
                 "[.][dma-fault]")
{
    const std::pair<const char*, int> attempts[] = {{"fault=dma_channel:1", -ENOMEM},
                                                    {"channel=nowhere", -ENODEV},
                                                    {"channel=any,any", -ENODEV}};
    for (const auto& [parameters, error] : attempts) {
        CAPTURE(parameters);
        CHECK(module::load(std::string("engine=dma ") + parameters) == error);
        CHECK(!module::is_loaded());
    }
    if (edu_reach() == "bounce") {
        CHECK(module::load("engine=dma fault=dma_bounce:2") == -ENOMEM);
        CHECK(!module::is_loaded());
    }
    REQUIRE(module::load("engine=dma channel=dma0chan0") == 0);
    check_works(device_fixture::open_direct().get());
    REQUIRE(module::unload_soon() == 0);
}
