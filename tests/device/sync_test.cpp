// SPDX-License-Identifier: MIT
// What is on the medium when a synchronous call has returned, and who hears of what is not.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cached.hpp"
#include "control.hpp"
#include "fault.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "module.hpp"

TEST_CASE_METHOD(device_fixture,
                 "what was asked to be synchronous is on the medium when it returns", "[sync]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const memory out(2);
    fill_random(out.span(), 401);
    const iovec segment{out.data(), out.size()};
    const gain written("bytes_written");
    const auto write = [&](int flags, int rwf) {
        const auto fd = open_node(flags);
        REQUIRE(::pwritev2(fd.get(), &segment, 1, 0, rwf) == static_cast<ssize_t>(out.size()));
        return written.value();
    };
    SECTION("O_SYNC")
    {
        CHECK(write(O_SYNC, 0) == out.size());
    }
    SECTION("O_DSYNC")
    {
        CHECK(write(O_DSYNC, 0) == out.size());
    }
    SECTION("RWF_SYNC")
    {
        CHECK(write(0, RWF_SYNC) == out.size());
    }
    SECTION("RWF_DSYNC")
    {
        CHECK(write(0, RWF_DSYNC) == out.size());
    }
    SECTION("O_DIRECT")
    {
        CHECK(write(O_DIRECT, 0) == out.size());
    }
    SECTION("O_DIRECT and O_SYNC")
    {
        CHECK(write(O_DIRECT | O_SYNC, 0) == out.size());
    }
    SECTION("nothing of it, then fsync")
    {
        CHECK(write(0, 0) == 0);
        CHECK(::fsync(open_node().get()) == 0);
        CHECK(written.value() == out.size());
    }
    SECTION("nothing of it, then fdatasync")
    {
        CHECK(write(0, 0) == 0);
        CHECK(::fdatasync(open_node().get()) == 0);
        CHECK(written.value() == out.size());
    }
    SECTION("a mapping, then msync")
    {
        const auto fd = open_node();
        const view mapped(fd.get(), out.size());
        std::memcpy(mapped.data(), out.data(), out.size());
        CHECK(written.value() == 0);
        CHECK(::msync(mapped.data(), out.size(), MS_SYNC) == 0);
        CHECK(written.value() == out.size());
    }
}

TEST_CASE_METHOD(device_fixture,
                 "an error of write-back is told once to each who had the node open",
                 "[.][fault][sync]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto first = open_node(), second = open_node();
    const memory out(1), in(1);
    REQUIRE(::pwrite(first.get(), out.data(), out.size(), 0) == 4096);
    const gain lost("cache_lost");
    {
        const fault byte("engine_bytes", 1);
        CHECK(::fsync(first.get()) == -1);
        CHECK(errno == EIO);
        CHECK(byte.fired());
    }
    CHECK(lost.value() == 1);
    CHECK(::fsync(first.get()) == 0);
    const auto late = open_node();
    CHECK(::fsync(late.get()) == 0);
    CHECK(::fdatasync(second.get()) == -1);
    CHECK(errno == EIO);
    CHECK(::fdatasync(second.get()) == 0);
    // And the page can be written again.
    out.fill(std::byte{0x44});
    REQUIRE(::pwrite(first.get(), out.data(), out.size(), 0) == 4096);
    CHECK(::fsync(first.get()) == 0);
    REQUIRE(::pread(open_direct().get(), in.data(), in.size(), 0) == 4096);
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture, "a synchronous write that the device fails is an error",
                 "[.][fault][sync]")
{
    const auto fd = open_node(O_DSYNC);
    const memory out(1);
    const fault byte("engine_bytes", 1);
    CHECK(::pwrite(fd.get(), out.data(), out.size(), 0) == -1);
    CHECK(errno == EIO);
    CHECK(byte.fired());
}

TEST_CASE_METHOD(module_fixture,
                 "dirty pages that cannot be written back when the module goes are said once",
                 "[.][fault][sync]")
{
    const bool fails = GENERATE(false, true);
    REQUIRE(module::load() == 0);
    const memory out(4);
    REQUIRE(::pwrite(device_fixture::open_node().get(), out.data(), out.size(), 0) == 16384);
    if (fails)
        REQUIRE(control::get().write("/sys/kernel/debug/scullpin/fault/engine_bytes", "1") == 0);
    REQUIRE(module::unload_soon() == 0);
    const auto log = control::get().log_since_mark();
    CHECK((log.find("is lost") != std::string::npos) == fails);
}

TEST_CASE_METHOD(module_fixture,
                 "what is dirty when the module goes is written back, however slow the device is",
                 "[.][module][sync]")
{
    REQUIRE(module::load(GENERATE("latency_us=200000", "bandwidth=1m", "completion=deferred")) ==
            0);
    const memory out(64);
    REQUIRE(::pwrite(device_fixture::open_node().get(), out.data(), out.size(), 0) ==
            static_cast<ssize_t>(out.size()));
    REQUIRE(module::unload_soon() == 0);
    CHECK(control::get().log_since_mark().find("is lost") == std::string::npos);
}
