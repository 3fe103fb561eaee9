// SPDX-License-Identifier: MIT
// The engine that lets DMA controllers copy, on the eight of a Xilinx Versal board, with a driver
// that is not ours. Hidden: needs engine=dma with all of them.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "aio.hpp"
#include "fixture.hpp"
#include "memory.hpp"

namespace {

constexpr std::size_t controllers = 8;
const std::string driver = "/sys/bus/platform/drivers/xilinx-zynqmp-dma/";

/// Interrupts of each controller so far, over all CPUs.
std::vector<std::uint64_t> interrupts()
{
    std::vector<std::uint64_t> result;
    std::ifstream file("/proc/interrupts");
    for (std::string line; std::getline(file, line);) {
        if (line.find("zynqmp-dma") == std::string::npos) continue;
        std::istringstream words(line.substr(line.find(':') + 1));
        std::uint64_t sum = 0;
        for (std::uint64_t count = 0; words >> count;) sum += count;
        result.push_back(sum);
    }
    return result;
}

/// The controllers that have a driver, as the platform names them.
std::vector<std::string> bound()
{
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(driver))
        if (entry.is_symlink() && entry.path().extension() == ".dma")
            result.push_back(entry.path().filename());
    return result;
}

/// Requests of 64 KiB, side by side on the medium and in memory.
class batch {
public:
    static constexpr std::size_t depth = 32, pages = 16, length = pages * page_size;

    explicit batch(int fd) : fd_(fd) {}

    void submit(aio& context, int opcode, const memory& buffer)
    {
        for (std::size_t i = 0; i < depth; i++) {
            requests_[i] = aio::request(fd_, opcode, buffer.page(i * pages), length, i * length);
            REQUIRE(context.submit(requests_[i]) == 1);
        }
    }

private:
    int fd_;
    std::array<iocb, depth> requests_{};
};

void all_succeed(aio& context)
{
    for (const auto& event : context.wait(batch::depth))
        CHECK(event.res == static_cast<std::int64_t>(batch::length));
}

}  // namespace

TEST_CASE_METHOD(device_fixture, "requests at once are spread over all controllers", "[.][zdma]")
{
    const auto fd = open_direct();
    const memory out(batch::depth * batch::pages), in(batch::depth * batch::pages);
    fill_random(out.span(), 900);
    const auto before = interrupts();
    REQUIRE(before.size() == controllers);
    aio context(batch::depth);
    batch requests(fd.get());
    requests.submit(context, IOCB_CMD_PWRITE, out);
    all_succeed(context);
    requests.submit(context, IOCB_CMD_PREAD, in);
    all_succeed(context);
    CHECK(same(in.span(), out.span()));
    const auto after = interrupts();
    for (std::size_t i = 0; i < controllers; i++) {
        CAPTURE(i);
        CHECK(after[i] > before[i]);
    }
}

TEST_CASE_METHOD(
    device_fixture,
    "controllers leave one by one under load: the others go on, the last leaves ENODEV",
    "[.][zdma-removal]")
{
    const auto fd = open_direct();
    const memory out(batch::depth * batch::pages), in(batch::depth * batch::pages);
    fill_random(out.span(), 910);
    REQUIRE(::pwrite(open_node().get(), out.data(), out.size(), 0) ==
            static_cast<ssize_t>(out.size()));
    batch requests(fd.get());
    aio context(batch::depth);
    auto left = bound();
    REQUIRE(left.size() == controllers);
    while (!left.empty()) {
        in.fill(std::byte{0});
        requests.submit(context, IOCB_CMD_PREAD, in);
        REQUIRE(std::ofstream(driver + "unbind") << left.back() << std::flush);
        left.pop_back();
        for (const auto& event : context.wait(batch::depth))
            CHECK((event.res == -ENODEV || event.res == static_cast<std::int64_t>(batch::length)));
        if (left.empty()) break;
        requests.submit(context, IOCB_CMD_PREAD, in);
        all_succeed(context);
        CHECK(same(in.span(), out.span()));
    }
    CHECK(::pread(fd.get(), in.data(), page_size, 0) == -1);
    CHECK(errno == ENODEV);
    // What needs no controller goes on.
    CHECK(::pread(open_node().get(), in.data(), page_size, 0) == page_size);
}
