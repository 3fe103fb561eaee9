// SPDX-License-Identifier: MIT
// What bounds a DMA transfer: segments, descriptors, the reach of the controller, memory that it
// must not see. Hidden: needs engine=dma and QEMU's edu.
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "aio.hpp"
#include "child.hpp"
#include "edu.hpp"
#include "fixture.hpp"
#include "mapping.hpp"
#include "memory.hpp"
#include "reach.hpp"

namespace {

/// Four pages of a huge page, one after the other or with gaps.
std::array<iovec, 4> four_pages(const std::byte* start, std::size_t stride)
{
    std::array<iovec, 4> result{};
    for (std::size_t i = 0; i < result.size(); i++)
        result[i] = {const_cast<std::byte*>(start) + i * stride, page_size};
    return result;
}

/// How many runs of pages that lie behind each other in the machine's memory there are: ordinary
/// pages lie as it comes.
std::uint64_t runs_of(const std::array<iovec, 4>& pages)
{
    std::uint64_t runs = 0, next = 0;
    for (const auto& page : pages) {
        const auto frame = frame_of(static_cast<const std::byte*>(page.iov_base));
        runs += frame == next ? 0 : 1;
        next = frame + 1;
    }
    return runs;
}

/// A number in a file of the kernel's; 0 when this kernel has no such file.
std::uint64_t number_in(const std::string& path)
{
    std::uint64_t value = 0;
    std::ifstream(path) >> value;
    return value;
}

/// Mappings that somebody holds, as far as this kernel tells.
std::uint64_t mappings_held()
{
    return number_in("/sys/kernel/debug/swiotlb/io_tlb_used");
}

/// Moves @p pages of random bytes out and in again by many requests at once.
void check_at_once(std::size_t depth, std::size_t pages, std::uint64_t seed)
{
    const auto fd = device_fixture::open_direct();
    const memory out(depth * pages), in(depth * pages);
    fill_random(out.span(), seed);
    for (const auto* buffer : {&out, &in}) {
        const int opcode = buffer == &out ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
        aio context(static_cast<unsigned>(depth));
        std::vector<iocb> requests(depth);
        for (std::size_t i = 0; i < depth; i++) {
            requests[i] = aio::request(fd.get(), opcode, buffer->page(i * pages), pages * page_size,
                                       i * pages * page_size);
            REQUIRE(context.submit(requests[i]) == 1);
        }
        for (const auto& event : context.wait(depth, 120.0))
            CHECK(event.res == static_cast<std::int64_t>(pages * page_size));
    }
    CHECK(same(in.span(), out.span()));
}

}  // namespace

TEST_CASE_METHOD(device_fixture, "pages that are contiguous are one segment of a DMA transfer",
                 "[.][dma]")
{
    const huge_pages pool(1);
    REQUIRE(huge_pages::free() >= 1);
    enum kind { hugetlb, thp, ordinary };
    const auto what = GENERATE(hugetlb, thp, ordinary);
    const mapping buffer(
        2 * huge_page_size,
        MAP_PRIVATE | MAP_ANONYMOUS | (what == hugetlb ? MAP_HUGETLB | MAP_NORESERVE : 0));
    auto* start = buffer.data();
    if (what != hugetlb) {
        start += huge_page_size - reinterpret_cast<std::uintptr_t>(start) % huge_page_size;
        REQUIRE(::madvise(start, huge_page_size, what == thp ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) ==
                0);
    }
    std::memset(start, 0x11, huge_page_size);
    const bool gaps = GENERATE(false, true);
    const auto pages = four_pages(start, gaps ? 2 * page_size : page_size);
    discard_all();
    const auto fd = open_direct();
    const gain segments("dma_segments"), descriptors("dma_descriptors"), pinned("pages_pinned"),
        mapped("dma_pages"), bounced("dma_bounced_bytes");
    const auto own = runs_of(pages);
    CAPTURE(what, gaps, own);
    if (what != ordinary) CHECK(own == (gaps ? 4 : 1));
    CHECK(::preadv(fd.get(), pages.data(), 4, 0) == 4 * page_size);
    for (const auto& page : pages)
        CHECK(all_equal({static_cast<std::byte*>(page.iov_base), page_size}, std::byte{0}));
    CHECK(pinned.value() == 4);
    // A hole is the same page of zeros again and again: one segment each, beside one of the caller;
    // but an IOMMU puts everything in a row. A bounce is one buffer, and no segment.
    if (bounced.value() == 0) CHECK(mapped.value() == 8);
    if (edu_reach() == "iommu") {
        CHECK(segments.value() == 2);
        CHECK(descriptors.value() == 1);
    } else if (bounced.value() == 0) {
        CHECK(segments.value() == 4 + own);
        CHECK(descriptors.value() == 4);
    } else {
        CHECK(edu_reach() == "bounce");
        CHECK(bounced.value() % (4 * page_size) == 0);
    }
}

TEST_CASE_METHOD(device_fixture,
                 "no segment is longer than the controller takes, nor lies across its boundary",
                 "[.][dma]")
{
    const huge_pages pool(1);
    REQUIRE(huge_pages::free() >= 1);
    const mapping huge(huge_page_size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE);
    const memory in(4);
    // From the second page on: so an end of every two pages lies within.
    const std::span out(huge.data() + page_size, 4 * page_size);
    fill_random(out, 795);
    const auto fd = open_direct();
    struct limits {
        unsigned max_segment, boundary;
        std::uint64_t segments;
    };
    const auto [max_segment, boundary, own] =
        GENERATE(limits{UINT_MAX, UINT_MAX, 1}, limits{2 * page_size, UINT_MAX, 2},
                 limits{UINT_MAX, 2 * page_size - 1, 3}, limits{page_size, UINT_MAX, 4});
    CAPTURE(max_segment, boundary);
    const edu_limit longest("max_segment", max_segment), across("boundary", boundary);
    // The medium's pages lie as they come: of a hole they are one and the same.
    discard_all();
    const gain segments("dma_segments"), descriptors("dma_descriptors"),
        bounced("dma_bounced_bytes");
    CHECK(::pread(fd.get(), huge.data() + page_size, out.size(), 0) ==
          static_cast<ssize_t>(out.size()));
    CHECK(all_equal(out, std::byte{0}));
    const auto least = out.size() / std::min<std::size_t>({out.size(), max_segment, boundary});
    if (edu_reach() == "iommu")
        CHECK(segments.value() >= 2 * least);
    else if (bounced.value() == 0)
        CHECK(segments.value() == own + 4);
    else
        CHECK(descriptors.value() >= least);
    fill_random(out, 796);
    const gain written("dma_descriptors");
    CHECK(::pwrite(fd.get(), out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    CHECK(written.value() >= least);
    CHECK(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    CHECK(same(in.span(), out));
}

TEST_CASE_METHOD(device_fixture,
                 "of the descriptors of a window only the last has a callback asked for",
                 "[.][dma]")
{
    const edu_parameter thrifty("thrifty", 1);
    const auto fd = open_direct();
    const memory out(8), in(8);
    fill_random(out.span(), 411);
    // Behind an IOMMU pages are one descriptor: as many as there are segments.
    const edu_limit segment("max_segment", page_size);
    const gain descriptors("dma_descriptors");
    const auto before = edu_callbacks();
    CHECK(::pwrite(fd.get(), out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    CHECK(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    CHECK(same(in.span(), out.span()));
    CHECK(descriptors.value() >= 16);
    CHECK(edu_callbacks() - before == 2);
}

TEST_CASE_METHOD(device_fixture, "a DMA transfer is as long as asked when descriptors are scarce",
                 "[.][dma]")
{
    const edu_parameter limit("limit", GENERATE(1u, 3u));
    check_at_once(4, 3, 760);
}

TEST_CASE_METHOD(
    device_fixture,
    "descriptors that can be had again only some time after their callbacks are waited for",
    "[.][dma]")
{
    // Between the two, the controller has nothing to do and refuses: that is not the end of its
    // memory.
    const edu_parameter limit("limit", 1), recycle("recycle_ms", 40);
    check_at_once(2, 2, 770);
}

TEST_CASE_METHOD(device_fixture,
                 "a controller without descriptors makes it ENOMEM, and no mapping stays",
                 "[.][dma]")
{
    // Where nobody counts what is mapped, so many use up all that an IOMMU has. There are four
    // bounces, and a refusal takes two jiffies.
    const unsigned depth = 100, rounds = edu_reach() == "bounce" ? 100 : 1000;
    const auto fd = open_direct();
    const memory buffer(depth);
    buffer.fill(std::byte{0x5a});
    const auto before = mappings_held();
    {
        const edu_parameter refuse("refuse", INT_MAX);
        aio context(depth);
        unsigned refused = 0;
        for (unsigned round = 0; round < rounds; round++) {
            for (unsigned i = 0; i < depth; i++) {
                auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), 512, 0);
                REQUIRE(context.submit(request) == 1);
            }
            for (const auto& event : context.wait(depth)) refused += event.res == -ENOMEM;
        }
        CHECK(refused == rounds * depth);
    }
    CHECK(mappings_held() == before);
    CHECK(all_equal(buffer.span(), std::byte{0x5a}));
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == page_size);
}

TEST_CASE_METHOD(device_fixture, "write-back waits for a controller without descriptors",
                 "[.][dma]")
{
    const auto plain = open_node(), direct = open_direct();
    const memory out(1), in(1);
    fill_random(out.span(), 790);
    const gain lost("cache_lost");
    REQUIRE(::pwrite(plain.get(), out.data(), out.size(), 0) == page_size);
    std::atomic<bool> ended{false};
    int result = -1;
    std::optional<edu_parameter> refuse(std::in_place, "refuse", INT_MAX);
    std::thread writer([&] {
        result = ::fsync(plain.get());
        ended = true;
    });
    std::this_thread::sleep_for(std::chrono::seconds(1));
    CHECK(!ended);
    CHECK(refuse->value() < INT_MAX);
    refuse.reset();
    writer.join();
    CHECK(result == 0);
    drop_cached();
    CHECK(::pread(direct.get(), in.data(), in.size(), 0) == page_size);
    CHECK(same(in.span(), out.span()));
    CHECK(lost.value() == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "memory that a controller must not see is refused before it is mapped", "[.][dma]")
{
    const scullpin::file_descriptor secret(static_cast<int>(::syscall(SYS_memfd_secret, 0)));
    REQUIRE(secret);
    REQUIRE(::ftruncate(secret.get(), page_size) == 0);
    const mapping hidden(page_size, MAP_SHARED, secret.get());
    std::memset(hidden.data(), 0x33, page_size);
    const auto fd = open_direct();
    const gain segments("dma_segments"), bounced("dma_bounced_bytes");
    CHECK(::pwrite(fd.get(), hidden.data(), page_size, 0) == -1);
    CHECK(errno == EFAULT);
    CHECK(segments.value() + bounced.value() == 0);
}

TEST_CASE_METHOD(device_fixture, "only what is out of the controller's reach goes through a bounce",
                 "[.][dma]")
{
    // Two windows and a half, the first of which is out of reach.
    constexpr std::size_t pages = 40, window = 16;
    const auto fd = device_fixture::open_direct();
    const memory out(pages), in(pages);
    keep_out_of_reach(out);
    keep_out_of_reach(in);
    fill_random(out.span(), 770);
    const gain bounced("dma_bounced_bytes");
    CHECK(::pwrite(fd.get(), out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    CHECK(::pread(fd.get(), in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    CHECK(same(in.span(), out.span()));
    if (edu_reach() == "bounce")
        CHECK(bounced.value() >= 2 * window * page_size);
    else
        CHECK(bounced.value() == 0);
}

TEST_CASE_METHOD(device_fixture,
                 "more DMA requests than there are bounces wait for one, and move all", "[.][dma]")
{
    check_at_once(12, 1, 780);
}

TEST_CASE_METHOD(device_fixture,
                 "DMA requests of several windows that take turns at the bounces move all",
                 "[.][dma]")
{
    // More of them than bounces, each longer than one holds: so each waits again for its second.
    check_at_once(6, 17, 781);
}

TEST_CASE_METHOD(device_fixture, "a process that is killed while it waits for a bounce ends soon",
                 "[.][dma]")
{
    const gain deferred("requests_deferred"), cancelled("cancelled");
    constexpr std::size_t depth = 6;
    std::array<pid_t, depth> children{};
    for (auto& child : children)
        child = in_child([] {
            const auto fd = open_direct();
            const memory buffer(16);
            (void)!::pread(fd.get(), buffer.data(), buffer.size(), 0);
        });
    REQUIRE(eventually([&] { return deferred.value() == depth; }));
    // The last came last, and waits: each transfer takes more than six seconds.
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
        ::kill(*child, SIGKILL);
        CHECK(WIFSIGNALED(wait_for(*child, 3.0)));
    }
    CHECK(eventually([&] { return cancelled.value() == depth; }));
}

TEST_CASE_METHOD(device_fixture,
                 "a large DMA request that waits for room is not overtaken by small ones",
                 "[.][dma]")
{
    // Only swiotlb is small enough to be filled.
    if (edu_reach() != "swiotlb") return;
    constexpr std::size_t large = 48, fillers = 3, small = 4;
    const auto fd = open_direct();
    const memory buffer(large);
    aio context(fillers + small);
    std::array<iocb, fillers + small> requests{};
    for (std::size_t i = 0; i < requests.size(); i++) {
        const auto bytes = (i < fillers ? large : 1) * page_size;
        // Each where no other writes: no two may have a page mapped from the device.
        requests[i] =
            aio::request(fd.get(), IOCB_CMD_PWRITE, buffer.data(), bytes, i * large * page_size);
        requests[i].aio_data = i;
        REQUIRE(context.submit(requests[i]) == 1);
    }
    std::vector<std::uint64_t> order;
    for (const auto& event : context.wait(requests.size(), 230.0)) {
        CHECK(event.res > 0);
        order.push_back(event.data);
    }
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE_METHOD(device_fixture,
                 "DMA requests for which there is no room at all end when others have ended",
                 "[.][dma]")
{
    if (edu_reach() != "swiotlb") return;
    // Both sides of a large one never fit.
    constexpr std::size_t filler = 16, large = 130, depth = 12;
    const auto fd = open_direct();
    // Each its own: no two may have a page mapped from the device.
    const memory buffer(filler + depth * large);
    aio context(depth + 1);
    const auto submit = [&](std::size_t first, std::size_t pages) {
        auto request =
            aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(first), pages * page_size, 0);
        request.aio_data = pages;
        REQUIRE(context.submit(request) == 1);
    };
    submit(0, filler);
    for (std::size_t i = 0; i < depth; i++) submit(filler + i * large, large);
    CHECK(context.poll() == 0);
    const auto events = context.wait(depth + 1, 60.0);
    CHECK(events.front().data == filler);
    for (const auto& event : events)
        CHECK(event.res ==
              (event.data == filler ? static_cast<std::int64_t>(filler * page_size) : -EIO));
}
