// SPDX-License-Identifier: MIT
// Structures of ioctls that change under the call, or are not there yet, or are the kernel's.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "adversary.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "uapi/scullpin.h"
#include "userfault.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

int answer(int result)
{
    return result < 0 ? -errno : result;
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "a structure that another thread changes is read once: what was checked is done",
                 "[adversary]")
{
    const auto fd = open_node();
    const auto block = attribute("logical_block_size");
    const memory canary(1);
    fill_random(canary.span(), 97);
    const auto canary_at = static_cast<off_t>(page_size * 4);
    // On the medium, and not cached: that is what a discard takes away.
    const auto direct = open_direct();
    REQUIRE(::pwrite(direct.get(), canary.data(), page_size, canary_at) == page_size);
    const memory page(1);
    auto* shared = reinterpret_cast<volatile scullpin_discard*>(page.data());
    shared->struct_size = sizeof(scullpin_discard);
    shared->length = block;
    std::atomic<bool> stop{false};
    std::thread flipper([&] {
        // What reaches the canary is always refused, for its offset is not that of a block.
        for (unsigned i = 0; !stop; i++) {
            shared->length = i % 3 == 0 ? ~std::uint64_t{0} - block + 1 : block;
            shared->offset = i % 2 == 0 ? 0 : static_cast<std::uint64_t>(canary_at) + 1;
            shared->struct_size = i % 5 == 0   ? 8
                                  : i % 5 == 1 ? 0x7fffffff
                                               : sizeof(scullpin_discard);
        }
    });
    std::size_t done = 0, refused = 0, wrong = 0;
    const auto deadline = clock_type::now() + adversary_duration();
    // On a busy machine the two are seldom at it at the same time.
    while (clock_type::now() < deadline || (done < 5000 && refused < 1000000)) {
        switch (answer(::ioctl(fd.get(), SCULLPIN_IOC_DISCARD, page.data()))) {
        case 0: done++; break;
        case -EINVAL:
        case -E2BIG: refused++; break;
        default: wrong++;
        }
        scullpin_info info{};
        info.struct_size = sizeof(info);
        wrong += ::ioctl(fd.get(), SCULLPIN_IOC_INFO, &info) != 0;
    }
    stop = true;
    flipper.join();
    CHECK(wrong == 0);
    CHECK(done > 0);
    CHECK(refused > 0);
    const memory got(1);
    REQUIRE(::pread(direct.get(), got.data(), page_size, canary_at) == page_size);
    CHECK(same(got.span(), canary.span()));
}

TEST_CASE_METHOD(device_fixture,
                 "an ioctl whose structure is not there yet holds up nobody, and then answers",
                 "[adversary]")
{
    const userfault faults;
    if (!faults) SKIP("the kernel's own faults are not for this user to catch");
    const auto fd = open_node();
    const memory page(1), content(1), other(1);
    faults.watch(page.data(), 1);
    std::atomic<int> result{1};
    std::thread caller([&] { result = answer(::ioctl(fd.get(), SCULLPIN_IOC_INFO, page.data())); });
    REQUIRE(faults.has_caught(20));
    for (int i = 0; i < 50; i++) {
        scullpin_info info{};
        info.struct_size = sizeof(info);
        REQUIRE(::ioctl(fd.get(), SCULLPIN_IOC_INFO, &info) == 0);
        REQUIRE(::pread(fd.get(), other.data(), page_size, 0) == page_size);
    }
    CHECK(result == 1);
    scullpin_info first{};
    first.struct_size = sizeof(first);
    std::memcpy(content.data(), &first, sizeof(first));
    faults.fill(page.data(), content.data());
    caller.join();
    CHECK(result == 0);
    std::memcpy(&first, page.data(), sizeof(first));
    CHECK(first.size == attribute("size"));
}

TEST_CASE_METHOD(device_fixture, "a pointer into the kernel is EFAULT for every ioctl",
                 "[adversary]")
{
    const auto fd = open_node();
    for (const auto address :
         {0xffff888000000000ul, 0xffffffff81000000ul, 0x800000000000ul, ~0ul - 7, 0x7ffffffff000ul})
        for (const unsigned long command :
             {static_cast<unsigned long>(BLKGETSIZE64), static_cast<unsigned long>(BLKSSZGET),
              static_cast<unsigned long>(BLKPBSZGET), static_cast<unsigned long>(SCULLPIN_IOC_INFO),
              static_cast<unsigned long>(SCULLPIN_IOC_DISCARD)}) {
            CAPTURE(address, command);
            CHECK(answer(::ioctl(fd.get(), command, address)) == -EFAULT);
        }
}
