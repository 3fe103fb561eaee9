// SPDX-License-Identifier: MIT
// Hidden: stock kernels have no fault injection. System calls, libaio, what a device is asked, and
// its life.
#include "failnth.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "aio.hpp"
#include "folder.hpp"
#include "raw_aio.hpp"
#include "uapi/scullpin.h"

namespace {

/// A file of the kernel's that is made up when it is read: opened, read to its end, closed.
attempt reading(const char* name, const std::string& path)
{
    return {name,
            {},
            [path] {
                const long fd = result_of(::open(path.c_str(), O_RDONLY));
                if (fd < 0) return fd;
                std::array<char, 4096> text{};
                long got = 0;
                do got = result_of(::read(static_cast<int>(fd), text.data(), text.size()));
                while (got > 0);
                ::close(static_cast<int>(fd));
                return got;
            },
            [] {},
            [](long result) { return result; },
            true,
            {-ENFILE}};
}

}  // namespace

TEST_CASE_METHOD(failnth_fixture,
                 "every operation survives the failure of each of its allocations and copies",
                 "[.][failnth]")
{
    const bool inline_completion = GENERATE(true, false);
    const setting completion("completion", inline_completion ? "auto" : "deferred");
    const memory& whole = buffer();
    const auto segments = two_segments();
    const auto size = static_cast<long>(whole.size());
    const long vector_size = two_segments_bytes;
    // A synchronous direct read that the caller moves itself needs nothing that could fail.
    const std::optional<bool> reads_hit =
        inline_completion && !by_dma() ? std::optional(false) : true;
    const auto reads = [&](const char* name, long bytes, std::function<long()> run) {
        exhaust({.name = name,
                 .whole = bytes,
                 .run = std::move(run),
                 .hit = reads_hit,
                 .bytes = moved::into_buffer});
    };
    const auto writes = [&](const char* name, long bytes, std::function<long()> run) {
        exhaust({.name = name,
                 .whole = bytes,
                 .run = std::move(run),
                 .prepare = discard_all,
                 .bytes = moved::onto_device});
    };
    for (const int flags : {O_DIRECT, 0})
        exhaust({.name = "open",
                 .whole = {},
                 .run =
                     [flags] {
                         const long fd = result_of(::open(node_path.c_str(), O_RDWR | flags));
                         if (fd >= 0) ::close(static_cast<int>(fd));
                         return fd;
                     },
                 .also_clean = {-ENFILE}});
    reads("read", size, [&] {
        ::lseek(direct(), 0, SEEK_SET);
        return result_of(::read(direct(), whole.data(), whole.size()));
    });
    writes("write to holes", size, [&] {
        ::lseek(direct(), 0, SEEK_SET);
        return result_of(::write(direct(), whole.data(), whole.size()));
    });
    reads("pread", size,
          [&] { return result_of(::pread(direct(), whole.data(), whole.size(), 0)); });
    writes("pwrite to holes", size,
           [&] { return result_of(::pwrite(direct(), whole.data(), whole.size(), 0)); });
    reads("preadv", vector_size,
          [&] { return result_of(::preadv(direct(), segments.data(), 2, 0)); });
    writes("pwritev to holes", vector_size,
           [&] { return result_of(::pwritev(direct(), segments.data(), 2, 0)); });
    reads("preadv2 that polls", vector_size,
          [&] { return result_of(::preadv2(direct(), segments.data(), 2, 0, RWF_HIPRI)); });
    writes("pwritev2 that polls to holes", vector_size,
           [&] { return result_of(::pwritev2(direct(), segments.data(), 2, 0, RWF_HIPRI)); });
    writes("pwritev2 that is on the medium when it returns", vector_size,
           [&] { return result_of(::pwritev2(direct(), segments.data(), 2, 0, RWF_DSYNC)); });
    // What would end later is refused under NOWAIT, before anything that could fail.
    if (!inline_completion || by_dma()) return;
    reads("preadv2 without waiting", vector_size,
          [&] { return result_of(::preadv2(direct(), segments.data(), 2, 0, RWF_NOWAIT)); });
    exhaust(
        {.name = "pwritev2 without waiting",
         .whole = vector_size,
         .run = [&] { return result_of(::pwritev2(direct(), segments.data(), 2, 0, RWF_NOWAIT)); },
         .prepare = discard_all,
         .also_clean = {-EAGAIN},
         .bytes = moved::onto_device});
}

TEST_CASE_METHOD(
    failnth_fixture,
    "direct calls beside what is cached survive the failure of their allocations and copies",
    "[.][failnth]")
{
    const memory& whole = buffer();
    const auto size = static_cast<long>(whole.size());
    // What is dirty is another thing than what is on the medium, or than what is written onto it.
    const memory other(whole.size() / page_size);
    const auto puts = [&](int fd, std::byte value) {
        other.fill(value);
        REQUIRE(::pwrite(fd, other.data(), other.size(), 0) == size);
    };
    const auto dirty = [&](std::byte value) {
        return [&, value] {
            puts(direct(), std::byte{0x11});
            puts(plain(), value);
        };
    };
    const auto cached = [&] {
        discard_all();
        REQUIRE(::pread(plain(), whole.data(), whole.size(), 0) == size);
        whole.fill(std::byte{0x77});
    };
    const auto write = [&] { return result_of(::pwrite(direct(), whole.data(), whole.size(), 0)); };
    // Write-back by the CPU takes no memory, though the kernel's detectors may.
    exhaust({.name = "read of what is dirty",
             .whole = size,
             .run = [&] { return result_of(::pread(direct(), whole.data(), whole.size(), 0)); },
             .prepare = dirty(std::byte{0x77}),
             .hit = hits_by_dma(),
             .bytes = moved::into_buffer});
    exhaust({.name = "write onto what is cached",
             .whole = size,
             .run = write,
             .prepare = cached,
             .bytes = moved::onto_device});
    exhaust({.name = "write onto what is dirty",
             .whole = size,
             .run = write,
             .prepare = dirty(std::byte{0x22}),
             .hit = hits_by_dma(),
             .bytes = moved::onto_device});
    folder device("failnth", {{"size", "1M"}, {"unaligned", "buffered"}});
    REQUIRE(device.power(true) == 0);
    const auto fd = device.open(O_DIRECT);
    exhaust({"write that is not aligned, and buffered", 1000,
             [&] { return result_of(::pwrite(fd.get(), whole.data() + 1, 1000, 77)); }});
    exhaust({"read that is not aligned, and buffered", 1000,
             [&] { return result_of(::pread(fd.get(), whole.data() + 1, 1000, 77)); },
             [&] { REQUIRE(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED) == 0); },
             [&](long result) {
                 whole.fill(std::byte{0x77});
                 return result;
             }});
}

TEST_CASE_METHOD(failnth_fixture,
                 "every operation of libaio survives the failure of its allocations and copies",
                 "[.][failnth]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const memory& whole = buffer();
    const auto segments = two_segments();
    const auto size = static_cast<long>(whole.size());
    const long vector_size = two_segments_bytes;
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
            request = aio::request(direct(), opcode, segments.data(), 2, 0);
            return context.submit(request);
        };
    };
    const auto wait = [&](long taken) {
        return taken == 1 ? static_cast<long>(context.wait(1).front().res) : taken;
    };
    // io_submit says EAGAIN when there is no memory for a request.
    const auto reads = [&](const char* name, long bytes, std::function<long()> run) {
        exhaust({.name = name,
                 .whole = bytes,
                 .run = std::move(run),
                 .finish = wait,
                 .also_clean = {-EAGAIN},
                 .bytes = moved::into_buffer});
    };
    const auto writes = [&](const char* name, long bytes, std::function<long()> run) {
        exhaust({.name = name,
                 .whole = bytes,
                 .run = std::move(run),
                 .prepare = discard_all,
                 .finish = wait,
                 .also_clean = {-EAGAIN},
                 .bytes = moved::onto_device});
    };
    reads("direct read", size, submit(IOCB_CMD_PREAD, direct()));
    writes("direct write to holes", size, submit(IOCB_CMD_PWRITE, direct()));
    reads("plain read", size, submit(IOCB_CMD_PREAD, plain()));
    writes("plain write to holes", size, submit(IOCB_CMD_PWRITE, plain()));
    reads("direct preadv", vector_size, submit_vector(IOCB_CMD_PREADV));
    writes("direct pwritev to holes", vector_size, submit_vector(IOCB_CMD_PWRITEV));
    exhaust({.name = "fsync",
             .whole = 0,
             .run =
                 [&] {
                     request = aio::request(plain(), IOCB_CMD_FSYNC, nullptr, 0, 0);
                     return context.submit(request);
                 },
             .prepare = [&] { REQUIRE(::pwrite(plain(), whole.data(), whole.size(), 0) == size); },
             .finish = wait,
             .also_clean = {-EAGAIN}});
}

TEST_CASE_METHOD(failnth_fixture,
                 "a context and a cancellation of libaio survive the failure of their allocations",
                 "[.][failnth]")
{
    exhaust({.name = "a context with a request in flight",
             .whole = 1,
             .run =
                 [&] {
                     aio_context_t context = 0;
                     const long made = result_of(::syscall(SYS_io_setup, 8, &context));
                     if (made < 0) return made;
                     iocb request = aio::request(direct(), IOCB_CMD_PREAD, buffer().data(),
                                                 buffer().size(), 0);
                     iocb* pointer = &request;
                     const long taken = result_of(::syscall(SYS_io_submit, context, 1, &pointer));
                     ::syscall(SYS_io_destroy, context);
                     return taken;
                 },
             .also_clean = {-EAGAIN}});
    // As long as a request is to be there, and what checks the device is not to wait for it.
    std::optional<setting> latency;
    const raw_aio calls;
    iocb request = aio::request(direct(), IOCB_CMD_PREAD, buffer().data(), page_size, 0);
    exhaust({.name = "a cancellation",
             .whole = -EINPROGRESS,
             .run = [&] { return calls.cancel(request); },
             .prepare =
                 [&] {
                     latency.emplace("latency_us", "30000000");
                     calls.submit(request);
                 },
             .finish =
                 [&](long result) {
                     // The request goes either way, and has one event.
                     if (result != -EINPROGRESS) REQUIRE(calls.cancel(request) == -EINPROGRESS);
                     std::array<io_event, 2> events{};
                     REQUIRE(calls.reap(events, 10) == 1);
                     CHECK(events[0].res == -ECANCELED);
                     latency.reset();
                     return result;
                 },
             .hit = false,
             .also_clean = {-EINPROGRESS}});
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
    for (const char* file : {"requests", "last"})
        exhaust(reading(file, std::string("/sys/kernel/debug/scullpin/scullpin0/") + file));
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
    exhaust({.name = "removing a folder",
             .whole = 0,
             .run = [] { return folder::remove("failnth"); },
             .prepare = [] { REQUIRE(folder::make("failnth") == 0); },
             .finish =
                 [](long removed) {
                     if (removed != 0) REQUIRE(folder::remove("failnth") == 0);
                     return removed;
                 },
             .hit = std::nullopt});
    const folder device("failnth", {{"size", "1M"}});
    const auto setting_to = [](const char* attribute, const char* value) {
        return [path = std::string("/sys/kernel/config/scullpin/failnth/") + attribute,
                value = std::string(value)] {
            const int fd = ::open(path.c_str(), O_WRONLY);
            if (fd < 0) return static_cast<long>(-errno);
            const long written = result_of(::write(fd, value.data(), value.size()));
            ::close(fd);
            return written;
        };
    };
    exhaust({.name = "a setting",
             .whole = 2,
             .run = setting_to("size", "2M"),
             .also_clean = {-ENFILE}});
    exhaust({.name = "switching a device on",
             .whole = 1,
             .run = setting_to("power", "1"),
             .finish =
                 [&](long written) {
                     CHECK(device.get("power") == (written == 1 ? "1" : "0"));
                     if (written == 1) REQUIRE(device.power(false) == 0);
                     return written;
                 },
             .also_clean = {-ENFILE}});
    exhaust({.name = "switching a device off",
             .whole = 1,
             .run = setting_to("power", "0"),
             .prepare = [&] { REQUIRE(device.power(true) == 0); },
             .finish =
                 [&](long written) {
                     if (device.get("power") == "1") REQUIRE(device.power(false) == 0);
                     return written;
                 },
             .also_clean = {-ENFILE}});
}
