// SPDX-License-Identifier: MIT
// A device that goes while it is open and busy: what is in flight ends, what comes is ENODEV.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fs.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "adversary.hpp"
#include "aio.hpp"
#include "cached.hpp"
#include "child.hpp"
#include "folder.hpp"
#include "memory.hpp"
#include "ring.hpp"
#include "uapi/scullpin.h"
#include "uring_command.hpp"
#include "userfault.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

/// So slow that nothing ends by itself within a test.
const folder::settings endless{{"size", "16M"}, {"latency_us", "60000000"}};

void check_is_gone(int fd)
{
    const memory buffer(1);
    const iovec segment{buffer.data(), buffer.size()};
    for (const auto& way : all_ways())
        for (const auto dir : {direction::read, direction::write}) {
            CAPTURE(way.name);
            CHECK(way.run(fd, dir, buffer.span(), 0) == -ENODEV);
        }
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    REQUIRE(::write(ends[1], "x", 1) == 1);
    std::uint64_t size = 0;
    const auto is_enodev = [](long result) { return result == -1 && errno == ENODEV; };
    CHECK(is_enodev(::read(fd, buffer.data(), 0)));
    CHECK(is_enodev(::preadv2(fd, &segment, 1, 0, RWF_NOWAIT)));
    CHECK(is_enodev(::splice(fd, nullptr, ends[1], nullptr, page_size, 0)));
    CHECK(is_enodev(::splice(ends[0], nullptr, fd, nullptr, 1, 0)));
    CHECK(is_enodev(::ioctl(fd, BLKGETSIZE64, &size)));
    CHECK(is_enodev(::lseek(fd, 0, SEEK_END)));
    CHECK(is_enodev(::lseek(fd, 0, SEEK_DATA)));
    CHECK(is_enodev(::fsync(fd)));
    CHECK(is_enodev(::fdatasync(fd)));
    const scullpin_discard range{sizeof(range), 0, 0, page_size};
    CHECK(is_enodev(::ioctl(fd, SCULLPIN_IOC_DISCARD, &range)));
    scullpin_info info{};
    info.struct_size = sizeof(info);
    CHECK(is_enodev(::ioctl(fd, SCULLPIN_IOC_INFO, &info)));
    ring uring;
    CHECK(uring.run(command(fd, SCULLPIN_URING_INFO, scullpin_uring_info{address_of(&info), 0})) ==
          -ENODEV);
    CHECK(uring.run(command(fd, SCULLPIN_URING_DISCARD, scullpin_uring_discard{0, page_size})) ==
          -ENODEV);
    CHECK(uring.run(command(fd, SCULLPIN_URING_FLUSH, scullpin_uring_flush{})) == -ENODEV);
    CHECK(::mmap(nullptr, page_size, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
    CHECK(errno == ENODEV);
    ::close(ends[0]);
    ::close(ends[1]);
}

class stopwatch {
public:
    [[nodiscard]] double seconds() const
    {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    }

private:
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

TEST_CASE_METHOD(folder_fixture, "requests in flight end once with ENODEV when their device goes",
                 "[configfs]")
{
    const bool by_rmdir = GENERATE(true, false);
    constexpr std::size_t depth = 16;
    folder device("busy", endless);
    REQUIRE(device.power(true) == 0);
    const auto fd = device.open(O_DIRECT);
    const memory buffer(2 * depth);
    aio context(depth);
    ring uring(depth);
    for (std::size_t i = 0; i < depth; i++) {
        auto request = aio::request(fd.get(), i % 2 == 0 ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
                                    buffer.page(i), page_size, i * page_size);
        REQUIRE(context.submit(request) == 1);
        uring.submit(
            [&](io_uring_sqe* entry) {
                io_uring_prep_read(entry, fd.get(), buffer.page(depth + i), page_size,
                                   i * page_size);
            },
            i);
    }
    REQUIRE(eventually([&] { return device.counter("in_flight") == 2 * depth; }));
    const stopwatch watch;
    REQUIRE((by_rmdir ? device.remove() : device.power(false)) == 0);
    for (const auto& event : context.wait(depth)) CHECK(event.res == -ENODEV);
    for (std::size_t i = 0; i < depth; i++) CHECK(uring.wait().result == -ENODEV);
    CHECK(watch.seconds() < 10.0);
    CHECK(context.poll() == 0);
    CHECK(!uring.poll());
    check_is_gone(fd.get());
}

TEST_CASE_METHOD(
    folder_fixture,
    "a device goes while more writes than there are workers end on pages being read in",
    "[configfs]")
{
    constexpr std::size_t count = 1100;
    folder device("crowded", endless);
    REQUIRE(device.set("max_pinned", "64M") == 0);
    REQUIRE(device.power(true) == 0);
    const auto direct = device.open(O_DIRECT), plain = device.open();
    const memory buffer(1);
    scullpin::aio_context context(count);
    submit_to_each_page(context, direct.get(), buffer.span(), count);
    // What is read in ahead at once is bounded.
    for (off_t at = 0; at < static_cast<off_t>(count * page_size); at += 8 * page_size)
        REQUIRE(::posix_fadvise(plain.get(), at, 8 * page_size, POSIX_FADV_WILLNEED) == 0);
    const stopwatch watch;
    CHECK(device.power(false) == 0);
    CHECK(watch.seconds() < 10);
    std::vector<io_event> events(count);
    CHECK(wait_in_thread(context, events) == count);
    for (const auto& event : events) REQUIRE(event.res == -ENODEV);
}

TEST_CASE_METHOD(folder_fixture, "callers that wait for a device that goes are told so",
                 "[configfs]")
{
    folder device("waited-for", endless);
    REQUIRE(device.set("max_pinned", "4096") == 0);
    REQUIRE(device.power(true) == 0);
    const auto fd = device.open(O_DIRECT);
    // One has all of the cap; the others wait for it, to be done later or at once.
    constexpr int callers = 4;
    const memory buffer(callers + 1);
    aio context;
    iocb first = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(callers), page_size, page_size);
    REQUIRE(context.submit(first) == 1);
    if (GENERATE(false, true)) REQUIRE(device.set("latency_us", "0") == 0);
    std::atomic<int> told{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < callers; i++)
        threads.emplace_back([&, i] {
            told += ::pread(fd.get(), buffer.page(i), page_size, 0) == -1 && errno == ENODEV;
        });
    CHECK(eventually([&] { return device.counter("requests_submitted") == callers + 1; }));
    CHECK(device.counter("requests_deferred") == 1);
    const stopwatch watch;
    CHECK(device.remove() == 0);
    for (auto& thread : threads) thread.join();
    CHECK(watch.seconds() < 10.0);
    CHECK(told == callers);
    CHECK(context.wait(1).front().res == -ENODEV);
}

TEST_CASE_METHOD(folder_fixture, "touching a mapping of a device that has gone is SIGBUS",
                 "[configfs][mmap]")
{
    folder device("mapped", {{"size", "1M"}});
    REQUIRE(device.power(true) == 0);
    const auto fd = device.open();
    const view shared(fd.get(), 4 * page_size), own(fd.get(), 4 * page_size, 0, MAP_PRIVATE);
    // Pages that are dirty, clean, copied for one process, and never touched.
    shared.store(0, std::byte{1});
    CHECK(shared.load(page_size) == std::byte{0});
    own.store(2 * page_size, std::byte{2});
    REQUIRE((GENERATE(true, false) ? device.remove() : device.power(false)) == 0);
    for (std::size_t page = 0; page < 4; page++) {
        CAPTURE(page);
        CHECK(signal_of([&] { (void)shared.load(page * page_size); }) == SIGBUS);
        CHECK(signal_of([&] { shared.store(page * page_size, std::byte{3}); }) == SIGBUS);
        CHECK(signal_of([&] { own.store(page * page_size, std::byte{3}); }) == SIGBUS);
    }
    // As memory of others' I/O it is an address that is not there.
    const auto other = scullpin::file_descriptor::open(node_path, O_RDWR | O_DIRECT);
    CHECK(::pread(other.get(), shared.data(), page_size, 0) == -1);
    CHECK(errno == EFAULT);
}

TEST_CASE_METHOD(
    folder_fixture,
    "removal waits for nobody, and a request that was held up meanwhile ends with ENODEV",
    "[configfs]")
{
    const userfault faults;
    if (!faults) SKIP("the kernel's own faults are not for this user to catch");
    const bool direct = GENERATE(true, false);
    folder device("held-up", direct ? endless : folder::settings{{"size", "16M"}});
    REQUIRE(device.power(true) == 0);
    const auto fd = device.open(direct ? O_DIRECT : 0);
    const memory memory_of_caller(1), content(1);
    auto* const page = memory_of_caller.page(0);
    faults.watch(page, 1);
    // It has passed the door, and has not been submitted; or it holds a lock of the cache's.
    std::atomic<int> error{0};
    std::thread caller([&] {
        const ssize_t result =
            direct ? ::pread(fd.get(), page, page_size, 0) : ::pwrite(fd.get(), page, page_size, 0);
        error = result == -1 ? errno : -1;
    });
    REQUIRE(faults.has_caught(20));
    CHECK(device.remove() == 0);
    CHECK(error == 0);
    const stopwatch watch;
    faults.fill(page, content.data());
    caller.join();
    CHECK(error == ENODEV);
    CHECK(watch.seconds() < 10.0);
}

TEST_CASE_METHOD(folder_fixture,
                 "a node that somebody holds cannot be opened when its device has gone",
                 "[configfs]")
{
    folder device("held-open", {{"size", "1M"}});
    REQUIRE(device.power(true) == 0);
    struct stat status {};
    REQUIRE(::stat(device.node().c_str(), &status) == 0);
    // One that does not go with the device, as in a container's /dev.
    const std::string other = "/dev/held-open";
    REQUIRE(::mknod(other.c_str(), S_IFCHR | 0600, status.st_rdev) == 0);
    {
        const auto held = scullpin::file_descriptor::open(other, O_RDWR);
        REQUIRE(device.power(false) == 0);
        CHECK(::open(other.c_str(), O_RDWR) == -1);
        CHECK(errno == ENODEV);
        // A device that takes the number meanwhile is another one.
        REQUIRE(device.power(true) == 0);
        const auto fresh = device.open();
        CHECK(::lseek(fresh.get(), 0, SEEK_END) == 1 << 20);
        check_is_gone(held.get());
    }
    REQUIRE(device.power(false) == 0);
    CHECK(eventually([&] {
        const int fd = ::open(other.c_str(), O_RDWR);
        if (fd >= 0) ::close(fd);
        return fd < 0 && errno == ENXIO;
    }));
    CHECK(::unlink(other.c_str()) == 0);
}

TEST_CASE_METHOD(folder_fixture,
                 "a storm of removals against libaio, io_uring, plain calls, mappings and sysfs",
                 "[configfs][adversary]")
{
    const std::string name = "scullpin5", node = "/dev/scullpin5";
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> opened{0}, submitted{0}, ended{0}, odd{0};
    const auto is_expected = [](std::int64_t result) {
        return result == static_cast<std::int64_t>(page_size) || result == -ENODEV;
    };
    std::vector<std::thread> threads;
    constexpr std::size_t depth = 8;
    const memory buffer(3 * depth + 1);
    for (std::size_t worker = 0; worker < 2; worker++)
        threads.emplace_back([&, worker] {
            scullpin::aio_context context(depth);
            std::array<io_event, depth> events{};
            while (!stop) {
                const int fd = ::open(node.c_str(), O_RDWR | O_DIRECT);
                if (fd < 0) continue;
                opened++;
                for (int round = 0; round < 4; round++) {
                    std::size_t taken = 0;
                    for (std::size_t page = 0; page < depth; page++) {
                        auto request = aio::request(
                            fd, (page + worker) % 2 == 0 ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
                            buffer.page(worker * depth + page), page_size, page * page_size);
                        const long result = submit_in_thread(context, request);
                        taken += result == 1;
                        odd += result != 1 && result != -ENODEV;
                    }
                    submitted += taken;
                    const std::size_t came =
                        wait_in_thread(context, std::span(events).first(taken));
                    ended += came;
                    for (std::size_t i = 0; i < came; i++) odd += !is_expected(events[i].res);
                }
                ::close(fd);
            }
        });
    // Reads and writes of pages, and commands, which move nothing.
    threads.emplace_back([&] {
        io_uring uring{};
        if (io_uring_queue_init(depth, &uring, 0) != 0) odd++;
        while (!stop) {
            const int fd = ::open(node.c_str(), O_RDWR | (opened % 2 == 0 ? O_DIRECT : 0));
            if (fd < 0) continue;
            opened++;
            for (int round = 0; round < 4; round++) {
                for (std::uint64_t page = 0; page < depth; page++) {
                    auto* entry = io_uring_get_sqe(&uring);
                    void* place = buffer.page(2 * depth + page);
                    switch (page % 4) {
                    case 0:
                        io_uring_prep_read(entry, fd, place, page_size, page * page_size);
                        break;
                    case 1:
                        io_uring_prep_write(entry, fd, place, page_size, page * page_size);
                        break;
                    case 2: command(fd, SCULLPIN_URING_FLUSH, scullpin_uring_flush{})(entry); break;
                    default:
                        command(fd, SCULLPIN_URING_DISCARD,
                                scullpin_uring_discard{page * page_size, page_size})(entry);
                    }
                    io_uring_sqe_set_data64(entry, page);
                }
                const int taken = io_uring_submit(&uring);
                odd += taken != depth;
                submitted += static_cast<std::uint64_t>(taken);
                for (int i = 0; i < taken; i++) {
                    __kernel_timespec patience{20, 0};
                    io_uring_cqe* done = nullptr;
                    if (io_uring_wait_cqe_timeout(&uring, &done, &patience) != 0) break;
                    ended++;
                    odd += !is_expected(done->res) && !(done->user_data % 4 >= 2 && done->res == 0);
                    io_uring_cqe_seen(&uring, done);
                }
            }
            ::close(fd);
        }
        io_uring_queue_exit(&uring);
    });
    // A mapping, touched by a system call, which is told EFAULT instead of a signal.
    threads.emplace_back([&] {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_NONBLOCK) != 0) odd++;
        char byte = 0;
        const auto touch = [&](long result) {
            odd += result != 1 && errno != EFAULT;
            while (::read(ends[0], &byte, 1) == 1) continue;
        };
        while (!stop) {
            const int fd = ::open(node.c_str(), O_RDWR);
            if (fd < 0) continue;
            opened++;
            void* place = ::mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            odd += place == MAP_FAILED && errno != ENODEV;
            for (int round = 0; place != MAP_FAILED && round < 16; round++) {
                touch(::write(ends[1], place, 1));
                odd += ::write(ends[1], "x", 1) != 1;
                touch(::read(ends[0], place, 1));
            }
            if (place != MAP_FAILED) ::munmap(place, page_size);
            ::close(fd);
        }
        ::close(ends[0]);
        ::close(ends[1]);
    });
    threads.emplace_back([&] {
        while (!stop) {
            const int fd = ::open(node.c_str(), O_RDWR);
            if (fd < 0) continue;
            opened++;
            std::uint64_t size = 0;
            pollfd what{fd, POLLIN, 0};
            const auto check = [&](long result) { odd += result < 0 && errno != ENODEV; };
            for (int round = 0; round < 8; round++) {
                check(::pread(fd, buffer.page(3 * depth), page_size, 0));
                check(::pwrite(fd, buffer.page(3 * depth), page_size, 0));
                check(::ioctl(fd, BLKGETSIZE64, &size));
                check(::lseek(fd, 0, SEEK_END));
                check(::poll(&what, 1, 0));
            }
            ::close(fd);
        }
    });
    threads.emplace_back([&] {
        std::array<char, 4096> text{};
        while (!stop)
            for (const char* path : {"/sys/class/scullpin/scullpin5/stats/in_flight",
                                     "/sys/class/scullpin/scullpin5/latency_us",
                                     "/sys/kernel/debug/scullpin/scullpin5/requests",
                                     "/sys/kernel/config/scullpin/scullpin5/power"}) {
                const int fd = ::open(path, O_RDONLY);
                if (fd < 0) continue;
                (void)!::read(fd, text.data(), text.size());
                ::close(fd);
            }
    });
    int rounds = 0;
    {
        for (const adversary_time time; time.left() || rounds < 2; rounds++) {
            folder device(name, {{"size", "1M"},
                                 {"latency_us", rounds % 2 == 0 ? "60000000" : "0"},
                                 {"completion", rounds % 4 == 1 ? "deferred" : "auto"}});
            REQUIRE(device.power(true) == 0);
            const auto before = opened.load();
            eventually([&] { return opened.load() > before + 1; }, 0.5);
            if (rounds % 3 == 0) CHECK(device.power(false) == 0);
            CHECK(device.remove() == 0);
        }
    }
    stop = true;
    for (auto& thread : threads) thread.join();
    CHECK(rounds > 1);
    CHECK(opened > 0);
    CHECK(submitted > 0);
    CHECK(submitted == ended);
    CHECK(odd == 0);
    INFO(rounds << " devices, " << opened << " opened, " << submitted << " requests");
}
