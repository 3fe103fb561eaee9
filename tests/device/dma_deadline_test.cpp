// SPDX-License-Identifier: MIT
// How long a DMA request waits at most, whoever else the controller works for, and what holds
// afterwards. Hidden: needs engine=dma and QEMU's edu.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "aio.hpp"
#include "edu.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "raw_aio.hpp"
#include "reach.hpp"

namespace {

/// Submits a request and takes it back after @p pause, again and again.
class fickle_neighbour {
public:
    explicit fickle_neighbour(std::chrono::milliseconds pause)
        : pause_(pause), thread_([this] { run(); })
    {
    }
    ~fickle_neighbour()
    {
        stop_ = true;
        thread_.join();
    }
    fickle_neighbour(const fickle_neighbour&) = delete;
    fickle_neighbour& operator=(const fickle_neighbour&) = delete;

private:
    void run()
    {
        while (!stop_) {
            auto request = aio::request(fd_.get(), IOCB_CMD_PREAD, buffer_.data(), page_size, 0);
            if (calls_.try_submit(request) != 1) return;
            std::this_thread::sleep_for(pause_);
            (void)calls_.cancel(request);
            std::array<io_event, 1> event{};
            if (calls_.reap(event, 60) != 1) return;
        }
    }

    std::chrono::milliseconds pause_;
    // Not made in the thread, where Catch2 must not be asked.
    scullpin::file_descriptor fd_ = device_fixture::open_direct();
    memory buffer_{1};
    raw_aio calls_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

/// A read that is taken back when its first bytes are in the controller; a tenth of a second later
/// they would be in memory.
void take_back_on_the_way(int fd, const memory& buffer)
{
    const raw_aio calls;
    const auto before = edu_moves();
    auto request = aio::request(fd, IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    calls.submit(request);
    REQUIRE(eventually([&] { return edu_moves() - before == 1; }));
    REQUIRE(calls.cancel(request) == -EINPROGRESS);
    std::array<io_event, 1> events{};
    REQUIRE(calls.reap(events, 10) == 1);
    CHECK(events[0].res == -ECANCELED);
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "who takes DMA requests back does not put off the deadline of another", "[.][dma]")
{
    const setting deadline("deadline_ms", "2000");
    const auto fd = open_direct();
    const memory buffer(1);
    const edu_parameter late("late_ms", 3'600'000);
    aio context(1);
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), page_size, 0);
    REQUIRE(context.submit(request) == 1);
    const fickle_neighbour neighbour(std::chrono::milliseconds(300));
    CHECK(context.wait(1, 8.0).front().res == -ETIMEDOUT);
}

TEST_CASE_METHOD(device_fixture,
                 "a controller that is slow is not dead because requests of it are taken back",
                 "[.][dma]")
{
    const setting deadline("deadline_ms", "30000");
    const auto fd = open_direct();
    const memory buffer(4);
    const edu_parameter late("late_ms", 3'600'000);
    const raw_aio calls;
    std::array<iocb, 4> requests{};
    for (std::size_t i = 0; i < requests.size(); i++) {
        requests[i] = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.page(i), page_size, 0);
        calls.submit(requests[i]);
    }
    // Each is the first by then.
    std::array<io_event, 1> event{};
    for (std::size_t i = 0; i < 3; i++) {
        CHECK(calls.cancel(requests[i]) == -EINPROGRESS);
        REQUIRE(calls.reap(event, 10) == 1);
        CHECK(event[0].res == -ECANCELED);
    }
    std::this_thread::sleep_for(std::chrono::seconds(2));
    CHECK(attribute("stats/in_flight") == 1);
    CHECK(calls.cancel(requests[3]) == -EINPROGRESS);
    REQUIRE(calls.reap(event, 10) == 1);
    CHECK(event[0].res == -ECANCELED);
}

TEST_CASE_METHOD(device_fixture,
                 "a controller that refuses to stop for a moment is told again, and then is quiet",
                 "[.][dma]")
{
    const setting deadline("deadline_ms", "1000");
    const auto fd = open_direct();
    const memory buffer(1), other(1);
    const edu_parameter lose("lose", 3), deaf("deaf", 5);
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == -1);
    CHECK(errno == ETIMEDOUT);
    CHECK(deaf.value() == 0);
    CHECK(lose.value() == 0);
    CHECK(::pwrite(fd.get(), other.data(), page_size, 0) == page_size);
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == page_size);
    CHECK(same(buffer.span(), other.span()));
}

TEST_CASE_METHOD(device_fixture,
                 "a DMA request that begins again for the sake of others ends all the same",
                 "[.][dma]")
{
    const setting deadline("deadline_ms", "2000");
    const auto fd = open_direct();
    // 6.4 seconds; behind an IOMMU it is one descriptor.
    const memory buffer(16);
    aio context(1);
    auto request = aio::request(fd.get(), IOCB_CMD_PREAD, buffer.data(), buffer.size(), 0);
    REQUIRE(context.submit(request) == 1);
    const fickle_neighbour neighbour(std::chrono::milliseconds(1000));
    const auto result = context.wait(1, 40.0).front().res;
    CHECK((result == -ETIMEDOUT || result == static_cast<std::int64_t>(buffer.size())));
}

TEST_CASE_METHOD(device_fixture,
                 "a DMA request that is cut answers with the bytes that are known to have moved",
                 "[.][dma]")
{
    const setting deadline("deadline_ms", "2000");
    const auto fd = open_direct();
    constexpr std::size_t window = 16 * page_size;
    const memory buffer(32);
    keep_out_of_reach(buffer);
    buffer.fill(std::byte{0x5a});
    discard_all();
    // A page is four moves: this is one of the eighteenth.
    const edu_parameter lose("lose", 70);
    const auto moved = ::pread(fd.get(), buffer.data(), buffer.size(), 0);
    CHECK(lose.value() == 0);
    if (edu_reach() == "iommu") {
        // One descriptor, of which it is not known how far it has come.
        CHECK(moved == -1);
        CHECK(errno == ETIMEDOUT);
    } else {
        // The first window of a bounce, and of the next what its descriptors tell: a page, where
        // the medium's pages do not lie together.
        CHECK(moved >= static_cast<ssize_t>(edu_reach() == "bounce" ? window : page_size));
        CHECK(moved <= static_cast<ssize_t>(window + page_size));
        CHECK(moved % static_cast<ssize_t>(page_size) == 0);
    }
    if (moved > 0)
        CHECK(all_equal(buffer.span().first(static_cast<std::size_t>(moved)), std::byte{0}));
}

TEST_CASE_METHOD(device_fixture, "an interrupt that comes after the deadline finds nothing to end",
                 "[.][dma]")
{
    const setting deadline("deadline_ms", "1000");
    const auto fd = open_direct();
    const memory buffer(1);
    buffer.fill(std::byte{0x5a});
    {
        const edu_parameter late("late_ms", 1500);
        CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == -1);
        CHECK(errno == ETIMEDOUT);
        // The interrupt would have come by now.
        std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    CHECK(all_equal(buffer.span(), std::byte{0x5a}));
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == page_size);
}

TEST_CASE_METHOD(device_fixture, "nothing of a DMA request moves after its answer", "[.][dma]")
{
    const auto fd = open_direct();
    const memory buffer(1);
    buffer.fill(std::byte{0x77});
    REQUIRE(::pwrite(fd.get(), buffer.data(), page_size, 0) == page_size);
    buffer.fill(std::byte{0x5a});
    take_back_on_the_way(fd.get(), buffer);
    const std::vector<std::byte> answered(buffer.data(), buffer.data() + buffer.size());
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    CHECK(same(buffer.span(), answered));
}

TEST_CASE_METHOD(device_fixture, "a controller that does not end its command is cut off",
                 "[.][dma-stuck]")
{
    const auto fd = open_direct();
    const memory buffer(1);
    buffer.fill(std::byte{0x5a});
    const edu_parameter stick("stick", 1);
    take_back_on_the_way(fd.get(), buffer);
    CHECK(stick.value() == 0);
    // Until then it would have written.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    CHECK(all_equal(buffer.span(), std::byte{0x5a}));
    CHECK(::pread(fd.get(), buffer.data(), page_size, 0) == -1);
    CHECK(errno == ENOMEM);
}
