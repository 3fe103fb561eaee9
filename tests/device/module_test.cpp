// SPDX-License-Identifier: MIT
// The module's coming and going. Hidden: these tests take the device away from under all others.
#include "module.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "adversary.hpp"
#include "aio.hpp"
#include "memory.hpp"

namespace {

scullpin::file_descriptor open_direct()
{
    return device_fixture::open_direct();
}

std::string attribute_text(const std::string& name)
{
    std::ifstream file(sysfs_path + name);
    std::string text;
    std::getline(file, text);
    return text;
}

/// One deferred write and read of 64 KiB each: the module has worked, not only been loaded.
void check_device_works()
{
    const auto fd = open_direct();
    const memory out(16), in(16);
    fill_random(out.span(), 101);
    aio context;
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PWRITE, out.data(), out.size(), 0)) == 65536);
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, in.data(), in.size(), 0)) == 65536);
    CHECK(same(out.span(), in.span()));
}

}  // namespace

TEST_CASE_METHOD(module_fixture, "the module is loaded, used and unloaded fifty times",
                 "[.][module]")
{
    for (int round = 0; round < module::rounds(50); round++) {
        REQUIRE(module::load("completion=deferred") == 0);
        check_device_works();
        REQUIRE(module::unload_soon() == 0);
        REQUIRE(!std::filesystem::exists(node_path));
        REQUIRE(!std::filesystem::exists("/sys/class/scullpin"));
    }
}

TEST_CASE_METHOD(module_fixture, "unloading right after the last completion never runs freed code",
                 "[.][module]")
{
    constexpr std::size_t depth = 32;
    const std::string latency = GENERATE("0", "300");
    const memory buffer(depth);
    aio context(depth);
    for (int round = 0; round < module::rounds(30); round++) {
        REQUIRE(module::load("completion=deferred latency_us=" + latency) == 0);
        auto fd = open_direct();
        for (std::size_t i = 0; i < depth; i++) {
            auto request =
                aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, i * page_size);
            REQUIRE(context.submit(request) == 1);
        }
        // Closed first: the last completion is the last use of the file, so of the module.
        fd = scullpin::file_descriptor();
        context.wait(depth);
        REQUIRE(module::unload_soon() == 0);
    }
}

TEST_CASE_METHOD(module_fixture,
                 "unloading is refused while the node is open, and nothing is lost by asking",
                 "[.][module]")
{
    REQUIRE(module::load() == 0);
    auto fd = open_direct();
    CHECK(module::unload() == -EWOULDBLOCK);
    check_device_works();
    fd = scullpin::file_descriptor();
    CHECK(module::unload_soon() == 0);
}

TEST_CASE_METHOD(module_fixture,
                 "unloading is refused while a request is in flight on a node that was closed",
                 "[.][module]")
{
    REQUIRE(module::load("latency_us=300000") == 0);
    const memory buffer(1);
    aio context;
    {
        const auto fd = open_direct();
        auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
        REQUIRE(context.submit(request) == 1);
    }
    CHECK(module::unload() == -EWOULDBLOCK);
    CHECK(context.wait(1).front().res == 4096);
    CHECK(module::unload_soon() == 0);
}

TEST_CASE_METHOD(module_fixture, "unloading against a storm of opens is refused or clean",
                 "[.][module][adversary]")
{
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> opened{0}, strange{0};
    std::thread visitor([&] {
        std::array<char, 512> bytes{};
        while (!stop) {
            const int fd = ::open(node_path.c_str(), O_RDWR | O_CLOEXEC);
            if (fd < 0) {
                strange += errno != ENOENT && errno != ENXIO && errno != ENODEV;
                continue;
            }
            strange += ::pread(fd, bytes.data(), bytes.size(), 0) != 512;
            ::close(fd);
            opened++;
        }
    });
    std::size_t unloaded = 0;
    for (const adversary_time time; time.left() || unloaded == 0;) {
        const int loaded = module::load();
        if (loaded != 0 && loaded != -EEXIST) FAIL_CHECK("init_module: " << loaded);
        const int result = module::unload();
        if (result != 0 && result != -EWOULDBLOCK) FAIL_CHECK("delete_module: " << result);
        unloaded += result == 0;
    }
    stop = true;
    visitor.join();
    CHECK(strange == 0);
    CHECK(unloaded > 0);
    CHECK(opened > 0);
}

TEST_CASE_METHOD(module_fixture,
                 "unloading against who walks all file systems, polls and reads sysfs is clean",
                 "[.][module][adversary]")
{
    std::atomic<bool> stop{false};
    std::vector<std::thread> others;
    others.emplace_back([&] {
        while (!stop) ::sync();
    });
    others.emplace_back([&] {
        while (!stop) std::ofstream("/proc/sys/vm/drop_caches") << 1 << std::flush;
    });
    others.emplace_back([&] {
        while (!stop) {
            std::ifstream(sysfs_path + "stats/requests_submitted").get();
            pollfd node{::open(node_path.c_str(), O_RDWR | O_CLOEXEC), POLLIN, 0};
            if (node.fd < 0) continue;
            ::poll(&node, 1, 0);
            ::close(node.fd);
        }
    });
    // A superblock is held until the walk comes to the next: here is one.
    const std::string later = "/tmp/later-filesystem";
    std::filesystem::create_directories(later);
    std::size_t unloaded = 0;
    for (const adversary_time time; time.left() || unloaded == 0;) {
        const int loaded = module::load();
        const int mounted = ::mount("later", later.c_str(), "tmpfs", 0, nullptr);
        const int gone = module::unload_soon();
        if (loaded != 0 || mounted != 0 || gone != 0 || ::umount(later.c_str()) != 0) {
            FAIL_CHECK(loaded << ' ' << mounted << ' ' << gone << ' ' << errno);
            break;
        }
        unloaded++;
    }
    stop = true;
    for (auto& other : others) other.join();
}

TEST_CASE_METHOD(module_fixture,
                 "an attribute that is held open answers ENODEV when the device has gone",
                 "[.][module]")
{
    REQUIRE(module::load() == 0);
    const auto size = scullpin::file_descriptor::open(sysfs_path + "size", O_RDONLY);
    const auto counter =
        scullpin::file_descriptor::open(sysfs_path + "stats/requests_submitted", O_RDONLY);
    REQUIRE(module::unload_soon() == 0);
    std::array<char, 64> text{};
    CHECK(::pread(size.get(), text.data(), text.size(), 0) == -1);
    CHECK(errno == ENODEV);
    CHECK(::pread(counter.get(), text.data(), text.size(), 0) == -1);
    CHECK(errno == ENODEV);
}

TEST_CASE_METHOD(module_fixture,
                 "load-time settings arrive, with suffixes, and are shown as numbers",
                 "[.][module]")
{
    REQUIRE(module::load("size=64m logical_block_size=4k dma_alignment=512 engine=cpu "
                         "completion=deferred latency_us=5 "
                         "bandwidth=2G max_pinned=1M unaligned=buffered") == 0);
    CHECK(attribute_text("size") == "67108864");
    CHECK(attribute_text("logical_block_size") == "4096");
    CHECK(attribute_text("dma_alignment") == "512");
    CHECK(attribute_text("engine") == "cpu");
    CHECK(attribute_text("completion") == "deferred");
    CHECK(attribute_text("latency_us") == "5");
    CHECK(attribute_text("bandwidth") == "2147483648");
    CHECK(attribute_text("max_pinned") == "1048576");
    CHECK(attribute_text("unaligned") == "buffered");
    check_device_works();
}

TEST_CASE_METHOD(module_fixture, "without settings the defaults hold", "[.][module]")
{
    REQUIRE(module::load() == 0);
    CHECK(attribute_text("size") == "1073741824");
    CHECK(attribute_text("logical_block_size") == "512");
    CHECK(attribute_text("dma_alignment") == "4");
    CHECK(attribute_text("engine") == "cpu");
    CHECK(attribute_text("completion") == "auto");
    CHECK(attribute_text("latency_us") == "0");
    CHECK(attribute_text("bandwidth") == "0");
    CHECK(attribute_text("max_pinned") == "67108864");
    CHECK(attribute_text("unaligned") == "refuse");
}

TEST_CASE_METHOD(
    module_fixture,
    "settings that make no sense are refused with EINVAL, and nothing of the module stays",
    "[.][module]")
{
    for (const char* parameters : {"size=0",
                                   "size=511",
                                   "size=1000",
                                   "size=4096x",
                                   "size=-4096",
                                   "size=",
                                   "size=17T",
                                   "logical_block_size=0",
                                   "logical_block_size=3",
                                   "logical_block_size=256",
                                   "logical_block_size=8192",
                                   "size=512 logical_block_size=4096",
                                   "dma_alignment=0",
                                   "dma_alignment=3",
                                   "dma_alignment=8192",
                                   "engine=nonsense",
                                   "engine=",
                                   "completion=sometimes",
                                   "completion=auto,inline",
                                   "latency_us=60000001",
                                   "latency_us=-1",
                                   "bandwidth=fast",
                                   "max_pinned=0",
                                   "unaligned=perhaps"}) {
        INFO(parameters);
        CHECK(module::load(parameters) == -EINVAL);
        CHECK(!module::is_loaded());
        CHECK(!std::filesystem::exists(node_path));
        if (module::is_loaded()) REQUIRE(module::unload_soon() == 0);
    }
}

TEST_CASE_METHOD(module_fixture, "a device whose last page is not whole ends exactly where it says",
                 "[.][module]")
{
    const std::uint64_t size = GENERATE(512, 4096 + 512, 3 * 4096 - 512);
    REQUIRE(module::load("size=" + std::to_string(size)) == 0);
    const auto direct = open_direct(), plain = device_fixture::open_node();
    const auto bytes = static_cast<ssize_t>(size);
    const memory out(4), in(4);
    fill_random(out.span(), 103);
    for (const int fd : {direct.get(), plain.get()}) {
        CHECK(::pwrite(fd, out.data(), out.size(), 0) == bytes);
        in.fill(std::byte{0x66});
        CHECK(::pread(fd, in.data(), in.size(), 0) == bytes);
        CHECK(same(in.span().first(size), out.span().first(size)));
        CHECK(all_equal(in.span().subspan(size), std::byte{0x66}));
        CHECK(::pread(fd, in.data(), 512, bytes - 512) == 512);
        CHECK(::pread(fd, in.data(), 512, bytes) == 0);
        CHECK(::pwrite(fd, out.data(), 512, bytes) == -1);
        CHECK(errno == ENOSPC);
        CHECK(::lseek(fd, 0, SEEK_END) == bytes);
        CHECK(::lseek(fd, 0, SEEK_HOLE) == bytes);
    }
}
