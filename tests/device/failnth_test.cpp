// SPDX-License-Identifier: MIT
// The kernel's own fault injection on a debug kernel: of each operation, the first allocation or
// copy fails, then the second, and so on until the operation comes through. Each time the answer is
// a clean errno, and the device works afterwards. Hidden: stock kernels have no fault injection.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <optional>
#include <set>

#include "aio.hpp"
#include "control.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ring.hpp"
#include "uapi/scullpin.h"

namespace {

constexpr std::size_t pages = 20;

/// Faults of every kind, quietly: a report of each would look like a complaint.
void enable_faults()
{
    const std::string debug = "/sys/kernel/debug/";
    for (const char* file : {"failslab/ignore-gfp-wait", "fail_page_alloc/ignore-gfp-wait",
                             "fail_page_alloc/ignore-gfp-highmem"})
        REQUIRE(control::get().write(debug + file, "N") == 0);
    REQUIRE(control::get().write(debug + "fail_page_alloc/min-order", "0") == 0);
    for (const char* kind : {"failslab", "fail_page_alloc", "fail_usercopy"})
        REQUIRE(control::get().write(debug + kind + "/verbose", "0") == 0);
}

/// Makes the nth fault point that this thread meets fail.
class nth_fault {
public:
    nth_fault() : fd_(scullpin::file_descriptor::open("/proc/thread-self/fail-nth", O_RDWR)) {}

    void arm(int nth) const
    {
        const auto text = std::to_string(nth);
        REQUIRE(::pwrite(fd_.get(), text.data(), text.size(), 0) ==
                static_cast<ssize_t>(text.size()));
    }
    /// Disarms. Asking copies to user space, which is a point that can fail, too: then nothing
    /// before it has.
    /// @return whether it has failed something
    [[nodiscard]] bool fired() const
    {
        std::array<char, 16> text{};
        const ssize_t got = ::pread(fd_.get(), text.data(), text.size() - 1, 0);
        const bool none_left = got > 0 && std::atoi(text.data()) == 0;
        while (::pwrite(fd_.get(), "0", 1, 0) != 1) REQUIRE(errno == EFAULT);
        return none_left;
    }

private:
    scullpin::file_descriptor fd_;
};

struct attempt {
    const char* name;
    std::optional<long> whole;  ///< the result when nothing fails; none: any that is no error
    std::function<long()> run;  ///< system calls only; result or -errno
    std::function<void()> prepare = [] {};
    std::function<long(long)> finish = [](long result) {
        return result;
    };  ///< after the fault: what was submitted ends as
};

long result_of(long result)
{
    return result < 0 ? -errno : result;
}

/// Runs an operation with its first, second, ... fault until none is left to hit; after each the
/// device works. @return how many were
template <typename Works>
int exhaust(const nth_fault& fault, const attempt& what, const std::set<long>& clean, Works works)
{
    for (int nth = 1;; nth++) {
        what.prepare();
        fault.arm(nth);
        const long begun = what.run();
        const bool fired = fault.fired();
        const long result = what.finish(begun);
        CAPTURE(what.name, nth, result, fired);
        CHECK((result >= 0 || clean.contains(result)));
        works();
        if (!fired) {
            CHECK((what.whole ? result == *what.whole : result >= 0));
            return nth - 1;
        }
        REQUIRE(nth < 2000);
    }
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "every operation survives the failure of each of its allocations and copies",
                 "[.][failnth]")
{
    enable_faults();
    const bool inline_completion = GENERATE(true, false);
    const setting completion("completion", inline_completion ? "auto" : "deferred");
    const auto direct = open_direct();
    const auto plain = open_node();
    const memory buffer(pages);
    buffer.fill(std::byte{0x77});
    const iovec segments[] = {{buffer.data(), 5 * page_size + 512},
                              {buffer.data() + 5 * page_size + 512, 10 * page_size}};
    const nth_fault fault;
    aio context;
    ring uring;
    scullpin_info info{};
    scullpin_discard discard{};
    std::array<char, 64> text{};
    const int settings = ::open((sysfs_path + "latency_us").c_str(), O_RDWR);
    const int counter = ::open((sysfs_path + "stats/in_flight").c_str(), O_RDONLY);
    iocb request{};
    const auto size = static_cast<long>(buffer.size());
    const auto vector_size = static_cast<long>(segments[0].iov_len + segments[1].iov_len);
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const memory fixed(pages);
    ring registered;
    registered.register_buffer(fixed.span());
    std::uint64_t bytes = 0;

    const auto aio_submit = [&](int opcode, int fd) {
        request = aio::request(fd, opcode, buffer.data(), buffer.size(), 0);
        return context.submit(request);
    };
    const auto aio_wait = [&](long taken) {
        return taken == 1 ? static_cast<long>(context.wait(1).front().res) : taken;
    };
    // What the kernel would not take under the fault is still in the queue.
    const auto ring_wait = [](ring& which) {
        return [&which](long) {
            while (which.try_submit() < 0) continue;
            return static_cast<long>(which.wait().result);
        };
    };
    const auto by_ring = [](ring& which, auto fill) {
        return [&which, fill] { which.prepare(fill); };
    };
    const auto length = static_cast<unsigned>(size);
    const attempt attempts[] = {
        {"open",
         {},
         [&] {
             const long fd = result_of(::open(node_path.c_str(), O_RDWR | O_DIRECT));
             if (fd >= 0) ::close(static_cast<int>(fd));
             return fd;
         }},
        {"direct read", size,
         [&] { return result_of(::pread(direct.get(), buffer.data(), buffer.size(), 0)); }},
        {"direct write to holes", size,
         [&] { return result_of(::pwrite(direct.get(), buffer.data(), buffer.size(), 0)); },
         discard_all},
        {"direct preadv", vector_size,
         [&] { return result_of(::preadv(direct.get(), segments, 2, 0)); }},
        {"direct pwritev to holes", vector_size,
         [&] { return result_of(::pwritev(direct.get(), segments, 2, 0)); }, discard_all},
        {"direct pwritev2 without waiting", vector_size,
         [&] { return result_of(::pwritev2(direct.get(), segments, 2, 0, RWF_NOWAIT)); },
         discard_all},
        {"plain read", size,
         [&] { return result_of(::pread(plain.get(), buffer.data(), buffer.size(), 0)); }},
        {"plain write to holes", size,
         [&] { return result_of(::pwrite(plain.get(), buffer.data(), buffer.size(), 0)); },
         discard_all},
        {"libaio direct read", size, [&] { return aio_submit(IOCB_CMD_PREAD, direct.get()); },
         [] {}, aio_wait},
        {"libaio direct write to holes", size,
         [&] { return aio_submit(IOCB_CMD_PWRITE, direct.get()); }, discard_all, aio_wait},
        {"libaio plain read", size, [&] { return aio_submit(IOCB_CMD_PREAD, plain.get()); }, [] {},
         aio_wait},
        {"libaio plain write to holes", size,
         [&] { return aio_submit(IOCB_CMD_PWRITE, plain.get()); }, discard_all, aio_wait},
        {"libaio direct preadv", vector_size,
         [&] {
             request = aio::request(direct.get(), IOCB_CMD_PREADV, segments, 2, 0);
             return context.submit(request);
         },
         [] {}, aio_wait},
        {"io_uring direct read", size, [&] { return uring.try_submit(); },
         by_ring(uring,
                 [&](io_uring_sqe* entry) {
                     io_uring_prep_read(entry, direct.get(), buffer.data(), length, 0);
                 }),
         ring_wait(uring)},
        {"io_uring direct write", size, [&] { return uring.try_submit(); },
         by_ring(uring,
                 [&](io_uring_sqe* entry) {
                     io_uring_prep_write(entry, direct.get(), buffer.data(), length, 0);
                 }),
         ring_wait(uring)},
        {"io_uring direct readv", vector_size, [&] { return uring.try_submit(); },
         by_ring(uring,
                 [&](io_uring_sqe* entry) {
                     io_uring_prep_readv(entry, direct.get(), segments, 2, 0);
                 }),
         ring_wait(uring)},
        {"io_uring direct read into a registered buffer", size,
         [&] { return registered.try_submit(); },
         by_ring(registered,
                 [&](io_uring_sqe* entry) {
                     io_uring_prep_read_fixed(entry, direct.get(), fixed.data(), length, 0, 0);
                 }),
         ring_wait(registered)},
        {"splice into a pipe", page_size,
         [&] {
             loff_t at = 0;
             const long moved =
                 result_of(::splice(plain.get(), &at, pipe_ends[1], nullptr, page_size, 0));
             return moved;
         },
         [] {},
         [&](long moved) {
             if (moved > 0) (void)!::read(pipe_ends[0], buffer.data(), page_size);
             buffer.fill(std::byte{0x77});
             return moved;
         }},
        {"the block layer's question for the size", 0,
         [&] { return result_of(::ioctl(plain.get(), BLKGETSIZE64, &bytes)); }},
        {"info", 0,
         [&] {
             info.struct_size = sizeof(info);
             return result_of(::ioctl(plain.get(), SCULLPIN_IOC_INFO, &info));
         }},
        {"discard", 0,
         [&] {
             discard = {};
             discard.struct_size = sizeof(discard);
             discard.length = 65536;
             return result_of(::ioctl(plain.get(), SCULLPIN_IOC_DISCARD, &discard));
         }},
        {"reading a setting",
         {},
         [&] { return result_of(::pread(settings, text.data(), text.size(), 0)); }},
        {"writing a setting", 1, [&] { return result_of(::pwrite(settings, "0", 1, 0)); }},
        {"reading a counter",
         {},
         [&] { return result_of(::pread(counter, text.data(), text.size(), 0)); }},
    };
    const memory other(1);
    const auto works = [&] {
        CHECK(::pwrite(direct.get(), other.data(), page_size, 1 << 20) == page_size);
        CHECK(::pread(direct.get(), other.data(), page_size, 1 << 20) == page_size);
    };
    for (const auto& what : attempts) {
        CAPTURE(what.name);
        const std::string_view name = what.name;
        // What would end later is refused under NOWAIT, before anything that could fail.
        if (!inline_completion && name.ends_with("without waiting")) continue;
        const int hits = exhaust(fault, what, {-ENOMEM, -EAGAIN, -EFAULT, -ENFILE}, works);
        // A synchronous direct read that the caller moves itself needs nothing that could fail.
        if (inline_completion && (name == "direct read" || name == "direct preadv"))
            CHECK(hits == 0);
        else
            CHECK(hits > 0);
        CHECK(::pwrite(direct.get(), buffer.data(), buffer.size(), 0) == size);
        works();
        CHECK(::pread(direct.get(), buffer.data(), buffer.size(), 0) == size);
        CHECK(all_equal(buffer.span(), std::byte{0x77}));
    }
    for (const int fd : {settings, counter, pipe_ends[0], pipe_ends[1]}) ::close(fd);
}
