// SPDX-License-Identifier: MIT
// Hidden: stock kernels have no fault injection. System calls, libaio, what a device is asked, and
// its life.
#include "failnth.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "aio.hpp"
#include "folder.hpp"
#include "uapi/scullpin.h"

TEST_CASE_METHOD(failnth_fixture,
                 "every operation survives the failure of each of its allocations and copies",
                 "[.][failnth]")
{
    const bool inline_completion = GENERATE(true, false);
    const setting completion("completion", inline_completion ? "auto" : "deferred");
    const memory& whole = buffer();
    const iovec segments[] = {{whole.data(), 5 * page_size + 512},
                              {whole.data() + 5 * page_size + 512, 10 * page_size}};
    const auto size = static_cast<long>(whole.size());
    const auto vector_size = static_cast<long>(segments[0].iov_len + segments[1].iov_len);
    // A synchronous direct read that the caller moves itself needs nothing that could fail.
    const std::optional<bool> reads_hit =
        inline_completion && !by_dma() ? std::optional(false) : true;
    exhaust({"open", {}, [] {
                 const long fd = result_of(::open(node_path.c_str(), O_RDWR | O_DIRECT));
                 if (fd >= 0) ::close(static_cast<int>(fd));
                 return fd;
             }});
    exhaust({.name = "direct read",
             .whole = size,
             .run = [&] { return result_of(::pread(direct(), whole.data(), whole.size(), 0)); },
             .hit = reads_hit});
    exhaust({"direct write to holes", size,
             [&] { return result_of(::pwrite(direct(), whole.data(), whole.size(), 0)); },
             discard_all});
    exhaust({.name = "direct preadv",
             .whole = vector_size,
             .run = [&] { return result_of(::preadv(direct(), segments, 2, 0)); },
             .hit = reads_hit});
    exhaust({"direct pwritev to holes", vector_size,
             [&] { return result_of(::pwritev(direct(), segments, 2, 0)); }, discard_all});
    // What would end later is refused under NOWAIT, before anything that could fail.
    if (inline_completion && !by_dma())
        exhaust({"direct pwritev2 without waiting", vector_size,
                 [&] { return result_of(::pwritev2(direct(), segments, 2, 0, RWF_NOWAIT)); },
                 discard_all});
}

TEST_CASE_METHOD(failnth_fixture,
                 "every operation of libaio survives the failure of its allocations and copies",
                 "[.][failnth]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const memory& whole = buffer();
    const iovec segments[] = {{whole.data(), 5 * page_size + 512},
                              {whole.data() + 5 * page_size + 512, 10 * page_size}};
    const auto size = static_cast<long>(whole.size());
    const auto vector_size = static_cast<long>(segments[0].iov_len + segments[1].iov_len);
    const auto nothing = [] {};
    aio context;
    iocb request{};
    const auto submit = [&](int opcode, int fd) {
        return [&context, &request, &whole, opcode, fd] {
            request = aio::request(fd, opcode, whole.data(), whole.size(), 0);
            return context.submit(request);
        };
    };
    const auto submit_vector = [&](int opcode) {
        return [&, opcode] {
            request = aio::request(direct(), opcode, segments, 2, 0);
            return context.submit(request);
        };
    };
    const auto wait = [&](long taken) {
        return taken == 1 ? static_cast<long>(context.wait(1).front().res) : taken;
    };
    exhaust({"direct read", size, submit(IOCB_CMD_PREAD, direct()), nothing, wait});
    exhaust({"direct write to holes", size, submit(IOCB_CMD_PWRITE, direct()), discard_all, wait});
    exhaust({"plain read", size, submit(IOCB_CMD_PREAD, plain()), nothing, wait});
    exhaust({"plain write to holes", size, submit(IOCB_CMD_PWRITE, plain()), discard_all, wait});
    exhaust({"direct preadv", vector_size, submit_vector(IOCB_CMD_PREADV), nothing, wait});
    exhaust({"direct pwritev to holes", vector_size, submit_vector(IOCB_CMD_PWRITEV), discard_all,
             wait});
    exhaust({"fsync", 0,
             [&] {
                 request = aio::request(plain(), IOCB_CMD_FSYNC, nullptr, 0, 0);
                 return context.submit(request);
             },
             [&] { REQUIRE(::pwrite(plain(), whole.data(), whole.size(), 0) == size); }, wait});
}

TEST_CASE_METHOD(failnth_fixture,
                 "every question survives the failure of its allocations and copies",
                 "[.][failnth]")
{
    scullpin_info info{};
    scullpin_discard discard{};
    std::uint64_t bytes = 0;
    std::array<char, 64> text{};
    const auto settings = scullpin::file_descriptor::open(sysfs_path + "latency_us", O_RDWR);
    const auto counter = scullpin::file_descriptor::open(sysfs_path + "stats/in_flight", O_RDONLY);
    exhaust({.name = "the block layer's question for the size",
             .whole = 0,
             .run = [&] { return result_of(::ioctl(plain(), BLKGETSIZE64, &bytes)); },
             .hit = false});
    exhaust({"info", 0, [&] {
                 info.struct_size = sizeof(info);
                 return result_of(::ioctl(plain(), SCULLPIN_IOC_INFO, &info));
             }});
    exhaust({"discard", 0, [&] {
                 discard = {};
                 discard.struct_size = sizeof(discard);
                 discard.length = 65536;
                 return result_of(::ioctl(plain(), SCULLPIN_IOC_DISCARD, &discard));
             }});
    exhaust({"reading a setting", {}, [&] {
                 return result_of(::pread(settings.get(), text.data(), text.size(), 0));
             }});
    exhaust(
        {"writing a setting", 1, [&] { return result_of(::pwrite(settings.get(), "0", 1, 0)); }});
    exhaust({"reading a counter", {}, [&] {
                 return result_of(::pread(counter.get(), text.data(), text.size(), 0));
             }});
    exhaust(
        {.name = "seeking data, then a hole",
         .whole = {},
         .run =
             [&] {
                 const long data = result_of(::lseek(plain(), 0, SEEK_DATA));
                 return data < 0 ? data : result_of(::lseek(plain(), 0, SEEK_HOLE));
             },
         .prepare = [&] { REQUIRE(::pwrite(plain(), buffer().data(), page_size, 0) == page_size); },
         .hit = false});
}

TEST_CASE_METHOD(failnth_fixture,
                 "a folder and its device survive the failure of each of their allocations",
                 "[.][failnth][configfs]")
{
    exhaust({"making a folder", 0, [] { return folder::make("failnth"); }, [] {},
             [](long made) {
                 if (made == 0) REQUIRE(folder::remove("failnth") == 0);
                 return made;
             }});
    const folder device("failnth", {{"size", "1M"}});
    exhaust({"switching a device on", 1,
             [] {
                 const int fd = ::open("/sys/kernel/config/scullpin/failnth/power", O_WRONLY);
                 if (fd < 0) return -errno;
                 const auto written = static_cast<int>(result_of(::write(fd, "1", 1)));
                 ::close(fd);
                 return written;
             },
             [] {},
             [&](long written) {
                 CHECK(device.get("power") == (written == 1 ? "1" : "0"));
                 if (written == 1) REQUIRE(device.power(false) == 0);
                 return written;
             }});
}
