// SPDX-License-Identifier: MIT
// Memory that io_uring has pinned already: the driver must neither pin nor release it.
#include <fcntl.h>
#include <liburing.h>
#include <unistd.h>

#include <array>

#include "fixture.hpp"
#include "memory.hpp"
#include "ring.hpp"

TEST_CASE_METHOD(device_fixture,
                 "a short pin beside a registered buffer releases only what it pinned itself")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    memory buffer(2);
    const auto expected = random_vector(page_size, 121);
    REQUIRE(::pwrite(open_node().get(), expected.data(), page_size, 0) == page_size);
    ring uring;
    uring.register_buffer({buffer.data(), page_size});
    buffer.protect(1, 1, PROT_NONE);
    const std::array<iovec, 2> segments{iovec{buffer.page(0), page_size},
                                        iovec{buffer.page(1), page_size}};
    for (int i = 0; i < 1024; i++) {
        REQUIRE(uring.run([&](auto* entry) {
            io_uring_prep_readv(entry, fd.get(), segments.data(), 2, 0);
        }) == 4096);
        // The page must still be the registered one: a release too many would have freed it.
        if (i % 64 != 0) continue;
        buffer.page(0)[0] ^= std::byte{0xff};
        REQUIRE(uring.run([&](auto* entry) {
            io_uring_prep_read_fixed(entry, fd.get(), buffer.data(), page_size, 0, 0);
        }) == 4096);
        REQUIRE(same({buffer.data(), page_size}, expected));
    }
    uring.unregister_buffer();
    CHECK(same({buffer.data(), page_size}, expected));
}

TEST_CASE_METHOD(device_fixture,
                 "registered memory is neither pinned again nor marked dirty by the driver")
{
    const setting completion("completion", GENERATE("auto", "inline", "deferred"));
    const auto fd = open_direct();
    const memory buffer(64);
    ring uring;
    uring.register_buffer(buffer.span());
    const gain pinned("pages_pinned"), dirtied("pages_dirtied"), read("bytes_read");
    const auto size = static_cast<unsigned>(buffer.size());
    CHECK(uring.run([&](auto* entry) {
        io_uring_prep_read_fixed(entry, fd.get(), buffer.data(), size, 0, 0);
    }) == static_cast<int>(size));
    CHECK(pinned.value() == 0);
    CHECK(dirtied.value() == 0);
    CHECK(read.value() == size);
}

TEST_CASE_METHOD(device_fixture,
                 "parts of a registered buffer are moved from and to their own place")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_direct();
    const memory buffer(64);
    fill_random(buffer.span(), 122);
    const std::vector<std::byte> before(buffer.data(), buffer.data() + buffer.size());
    ring uring;
    uring.register_buffer(buffer.span());
    struct part {
        std::size_t skip, length;
    };
    for (const auto& [skip, length] :
         {part{0, 4096}, part{512, 4096}, part{4096 - 512, 8192},
          part{20 * page_size + 1024, 30 * page_size}, part{63 * page_size, 4096}}) {
        INFO(length << " bytes at " << skip);
        auto* where = buffer.data() + skip;
        const auto count = static_cast<unsigned>(length);
        REQUIRE(uring.run([&](auto* entry) {
            io_uring_prep_write_fixed(entry, fd.get(), where, count, 8192, 0);
        }) == static_cast<int>(count));
        std::memset(where, 0, length);
        REQUIRE(uring.run([&](auto* entry) {
            io_uring_prep_read_fixed(entry, fd.get(), where, count, 8192, 0);
        }) == static_cast<int>(count));
        CHECK(same(buffer.span(), before));
    }
}

TEST_CASE_METHOD(
    device_fixture,
    "one page mapped many times into a registered buffer is written to and nothing beside it")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    constexpr std::size_t times = 64;
    const auto fd = open_direct();
    const scullpin::file_descriptor file(::memfd_create("scullpin", MFD_CLOEXEC));
    REQUIRE(::ftruncate(file.get(), page_size) == 0);
    const memory buffer(times);
    for (std::size_t i = 0; i < times; i++)
        REQUIRE(::mmap(buffer.page(i), page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                       file.get(), 0) == buffer.page(i));
    fill_random({buffer.data(), page_size}, 123);
    const std::vector<std::byte> page(buffer.data(), buffer.data() + page_size);
    ring uring;
    uring.register_buffer(buffer.span());
    const auto size = static_cast<unsigned>(buffer.size());
    REQUIRE(uring.run([&](auto* entry) {
        io_uring_prep_write_fixed(entry, fd.get(), buffer.data(), size, 0, 0);
    }) == static_cast<int>(size));
    const memory in(times);
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    for (std::size_t i = 0; i < times; i++) CHECK(same({in.page(i), page_size}, page));
    buffer.page(0)[0] ^= std::byte{0xff};
    REQUIRE(uring.run([&](auto* entry) {
        io_uring_prep_read_fixed(entry, fd.get(), buffer.data(), size, 0, 0);
    }) == static_cast<int>(size));
    CHECK(same({buffer.page(times - 1), page_size}, page));
}

TEST_CASE_METHOD(device_fixture,
                 "a ring that is closed with requests on its buffers in flight leaves nothing")
{
    const setting latency("latency_us", "300000");
    const auto fd = open_direct();
    const memory buffer(16);
    {
        ring uring;
        uring.register_buffer(buffer.span());
        for (std::size_t i = 0; i < 16; i++)
            uring.submit([&](auto* entry) {
                io_uring_prep_read_fixed(entry, fd.get(), buffer.page(i), page_size, i * page_size,
                                         0);
            });
        CHECK(attribute("stats/in_flight") == 16);
    }
    CHECK(eventually([] { return attribute("stats/in_flight") == 0; }, 5));
}
