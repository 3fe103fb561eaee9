// SPDX-License-Identifier: MIT
// Devices made in configfs: their settings, their names, their power switch, many at once.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>

#include "aio.hpp"
#include "control.hpp"
#include "fault.hpp"
#include "folder.hpp"
#include "memory.hpp"
#include "module.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

/// Writes and reads back a few pages, directly.
void check_moves_data(const folder& device, std::uint64_t seed)
{
    const auto fd = device.open(O_DIRECT);
    const memory out(4), in(4);
    fill_random(out.span(), seed);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    CHECK(same(in.span(), out.span()));
}

}  // namespace

TEST_CASE_METHOD(folder_fixture, "a folder in configfs begins with the documented defaults, off",
                 "[configfs]")
{
    const folder device("scullpin9");
    const folder::settings defaults{{"size", "1073741824"},  {"logical_block_size", "512"},
                                    {"dma_alignment", "4"},  {"engine", "cpu"},
                                    {"completion", "auto"},  {"latency_us", "0"},
                                    {"bandwidth", "0"},      {"max_pinned", "67108864"},
                                    {"unaligned", "refuse"}, {"deadline_ms", "10000"},
                                    {"power", "0"},          {"index", "9"}};
    for (const auto& [name, value] : defaults) {
        CAPTURE(name);
        CHECK(device.get(name) == value);
    }
    CHECK(!std::filesystem::exists(device.node()));
    CHECK(device.set("index", "3") == -EACCES);
}

TEST_CASE_METHOD(folder_fixture, "every setting of a folder takes good values and refuses bad ones",
                 "[configfs]")
{
    const folder device("settings");
    const std::vector<std::array<std::string, 3>> good{{"size", "16M", "16777216"},
                                                       {"logical_block_size", "4096", "4096"},
                                                       {"dma_alignment", "512", "512"},
                                                       {"engine", "cpu", "cpu"},
                                                       {"completion", "deferred", "deferred"},
                                                       {"latency_us", "1000", "1000"},
                                                       {"bandwidth", "1G", "1073741824"},
                                                       {"max_pinned", "1M", "1048576"},
                                                       {"unaligned", "buffered", "buffered"},
                                                       {"deadline_ms", "500", "500"}};
    for (const auto& [name, value, shown] : good) {
        CAPTURE(name);
        CHECK(device.set(name, value) == 0);
        CHECK(device.get(name) == shown);
    }
    const folder::settings bad{{"size", "0"},           {"size", "17T"},
                               {"size", "4096x"},       {"logical_block_size", "1000"},
                               {"dma_alignment", "3"},  {"engine", "steam"},
                               {"completion", "never"}, {"latency_us", "60000001"},
                               {"bandwidth", "-1"},     {"max_pinned", "0"},
                               {"unaligned", "maybe"},  {"deadline_ms", "0"},
                               {"power", "2"}};
    for (const auto& [name, value] : bad) {
        CAPTURE(name, value);
        const auto before = device.get(name);
        CHECK(device.set(name, value) == -EINVAL);
        CHECK(device.get(name) == before);
    }
}

TEST_CASE_METHOD(folder_fixture,
                 "what shapes a device is busy while it is there; the rest is one value with sysfs",
                 "[configfs]")
{
    const folder device("shape", {{"size", "16M"}});
    REQUIRE(device.power(true) == 0);
    for (const char* name : {"size", "logical_block_size", "dma_alignment", "engine"}) {
        CAPTURE(name);
        CHECK(device.set(name, device.get(name)) == -EBUSY);
    }
    CHECK(device.set("latency_us", "77") == 0);
    CHECK(control::get().read(device.sysfs() + "/latency_us") == "77\n");
    CHECK(control::get().write(device.sysfs() + "/latency_us", "88") == 0);
    CHECK(device.get("latency_us") == "88");
    REQUIRE(device.power(false) == 0);
    CHECK(device.get("latency_us") == "88");
    CHECK(device.set("size", "32M") == 0);
}

TEST_CASE_METHOD(folder_fixture, "a device cannot be switched on with settings that disagree",
                 "[configfs]")
{
    const folder device("disagree", {{"size", "1536"}, {"logical_block_size", "1024"}});
    CHECK(device.power(true) == -EINVAL);
    CHECK(device.get("power") == "0");
    REQUIRE(device.set("size", "2048") == 0);
    CHECK(device.power(true) == 0);
}

TEST_CASE_METHOD(folder_fixture, "a name of the form scullpinN asks for that node, others for any",
                 "[configfs]")
{
    const folder seventh("scullpin7");
    CHECK(seventh.get("index") == "7");
    const folder any("first-free");
    CHECK(any.get("index") == "1");
    CHECK(folder::make("scullpin7") == -EEXIST);
    CHECK(folder::make("scullpin0") == -EEXIST);
    CHECK(folder::make("scullpin1") == -EEXIST);
    for (const char* name : {"scullpin256", "scullpin07", "scullpin+8"}) {
        CAPTURE(name);
        CHECK(folder::make(name) == -EINVAL);
    }
    const folder word("scullpins");
    CHECK(word.get("index") == "2");
}

TEST_CASE_METHOD(folder_fixture, "a device is empty each time that it is switched on", "[configfs]")
{
    const folder device("cycles", {{"size", "1M"}});
    for (int round = 0; round < 5; round++) {
        REQUIRE(device.power(true) == 0);
        CHECK(device.power(true) == 0);
        {
            const auto fd = device.open();
            const memory in(4);
            in.fill(std::byte{1});
            REQUIRE(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
            CHECK(all_equal(in.span(), std::byte{0}));
        }
        check_moves_data(device, 900 + static_cast<std::uint64_t>(round));
        REQUIRE(device.power(false) == 0);
        CHECK(device.power(false) == 0);
        CHECK(!std::filesystem::exists(device.node()));
        CHECK(!std::filesystem::exists(device.sysfs()));
    }
}

TEST_CASE_METHOD(folder_fixture, "sixty-four devices at once, each with its own bytes in flight",
                 "[configfs]")
{
    constexpr std::size_t count = 64;
    std::vector<std::unique_ptr<folder>> devices;
    std::vector<scullpin::file_descriptor> nodes;
    for (std::size_t i = 0; i < count; i++) {
        devices.push_back(
            std::make_unique<folder>("many" + std::to_string(i),
                                     folder::settings{{"size", "1M"}, {"completion", "deferred"}}));
        REQUIRE(devices.back()->power(true) == 0);
        nodes.push_back(devices.back()->open(O_DIRECT));
    }
    const memory out(count), in(count);
    fill_random(out.span(), 64);
    aio context(count);
    for (const auto opcode : {IOCB_CMD_PWRITE, IOCB_CMD_PREAD}) {
        for (std::size_t i = 0; i < count; i++) {
            const auto* buffer = (opcode == IOCB_CMD_PWRITE ? out : in).page(i);
            auto request = aio::request(nodes[i].get(), opcode, buffer, page_size, page_size);
            REQUIRE(context.submit(request) == 1);
        }
        for (const auto& event : context.wait(count))
            CHECK(event.res == static_cast<std::int64_t>(page_size));
    }
    CHECK(same(in.span(), out.span()));
    for (const auto& device : devices) {
        CHECK(device->counter("requests_completed") == 2);
        CHECK(device->counter("pages_pinned") == device->counter("pages_released"));
    }
}

TEST_CASE_METHOD(folder_fixture, "there are 256 numbers, and each can be had again", "[configfs]")
{
    for (int round = 0; round < 2; round++) {
        std::vector<std::unique_ptr<folder>> devices;
        for (int i = 1; i < 256; i++)
            devices.push_back(std::make_unique<folder>("number" + std::to_string(i)));
        CHECK(folder::make("one-too-many") == -ENOSPC);
        CHECK(devices.back()->get("index") == "255");
        REQUIRE(devices.back()->set("size", "1M") == 0);
        REQUIRE(devices.back()->power(true) == 0);
        check_moves_data(*devices.back(), 255);
    }
}

TEST_CASE_METHOD(folder_fixture, "live settings change under load, and no request is lost",
                 "[configfs]")
{
    const folder device("live", {{"size", "4M"}});
    REQUIRE(device.power(true) == 0);
    const auto fd = device.open(O_DIRECT);
    const folder::settings changes{
        {"latency_us", "300"},    {"completion", "deferred"}, {"max_pinned", "8192"},
        {"bandwidth", "100M"},    {"unaligned", "buffered"},  {"latency_us", "0"},
        {"completion", "inline"}, {"max_pinned", "64M"},      {"bandwidth", "0"},
        {"completion", "auto"},   {"unaligned", "refuse"}};
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> asked{0}, ended{0}, wrong{0};
    constexpr std::size_t depth = 8, part = depth * page_size;
    const memory out(3 * depth), in(3 * depth);
    std::vector<std::thread> workers;
    for (std::size_t worker = 0; worker < 3; worker++)
        workers.emplace_back([&, worker] {
            scullpin::aio_context context(depth);
            std::array<io_event, depth> events{};
            const auto ours = out.span().subspan(worker * part, part);
            const auto theirs = in.span().subspan(worker * part, part);
            for (std::uint64_t round = 0; !stop; round++) {
                fill_random(ours, worker * 1000003 + round);
                for (const auto opcode : {IOCB_CMD_PWRITE, IOCB_CMD_PREAD}) {
                    const auto side = opcode == IOCB_CMD_PWRITE ? ours : theirs;
                    for (std::size_t at = 0; at < part; at += page_size) {
                        auto request = aio::request(fd.get(), opcode, &side[at], page_size,
                                                    worker * part + at);
                        asked += submit_in_thread(context, request) == 1;
                    }
                    const std::size_t came = wait_in_thread(context, events);
                    for (std::size_t i = 0; i < came; i++)
                        ended += events[i].res == static_cast<std::int64_t>(page_size);
                }
                wrong += !same(ours, theirs);
            }
        });
    int failed = 0;
    for (int round = 0; round < 20; round++)
        for (const auto& [name, value] : changes) {
            const bool by_sysfs = round % 2 == 0;
            failed += (by_sysfs ? control::get().write(device.sysfs() + "/" + name, value)
                                : device.set(name, value)) != 0;
            ::usleep(2000);
        }
    stop = true;
    for (auto& worker : workers) worker.join();
    CHECK(failed == 0);
    CHECK(wrong == 0);
    CHECK(asked > 0);
    CHECK(asked == ended);
    CHECK(device.counter("requests_submitted") == device.counter("requests_completed"));
    CHECK(device.counter("requests_completed") == asked);
}

TEST_CASE_METHOD(module_fixture,
                 "the module stays while a folder is there, on or off, and then goes",
                 "[.][module]")
{
    for (const bool on : {false, true}) {
        REQUIRE(module::load() == 0);
        {
            folder device("held", {{"size", "1M"}});
            if (on) REQUIRE(device.power(true) == 0);
            CHECK(module::unload() == -EWOULDBLOCK);
            REQUIRE(device.remove() == 0);
        }
        CHECK(module::unload_soon() == 0);
    }
}

TEST_CASE_METHOD(folder_fixture, "a folder or a device for which there is no memory leaves nothing",
                 "[.][fault]")
{
    {
        const fault point("configfs_item", 1);
        CHECK(folder::make("no-memory") == -ENOMEM);
    }
    const folder device("no-memory", {{"size", "1M"}});
    for (const char* name : {"device_alloc", "device_stats", "device_name", "device_add"}) {
        CAPTURE(name);
        const fault point(name, 1);
        CHECK(device.power(true) == -ENOMEM);
        CHECK(device.get("power") == "0");
        REQUIRE(device.power(true) == 0);
        check_moves_data(device, 7);
        REQUIRE(device.power(false) == 0);
    }
}
