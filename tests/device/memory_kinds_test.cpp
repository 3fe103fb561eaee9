// SPDX-License-Identifier: MIT
// Memory comes in kinds: shared, huge, of files, not to be pinned at all.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "aio.hpp"
#include "fixture.hpp"
#include "mapping.hpp"
#include "memory.hpp"

using scullpin::file_descriptor;

namespace {

file_descriptor memory_file(std::size_t size)
{
    file_descriptor file(::memfd_create("scullpin", MFD_CLOEXEC));
    REQUIRE(::ftruncate(file.get(), static_cast<off_t>(size)) == 0);
    return file;
}

/// Moves the middle of the mapping out and back in, off page boundaries, by a request that
/// completes later.
void check_moves(std::span<std::byte> whole)
{
    const setting completion("completion", "deferred");
    const auto fd = device_fixture::open_direct();
    const auto part = whole.subspan(page_size + 512, whole.size() - 3 * page_size);
    fill_random(whole, 111);
    const std::vector<std::byte> before(whole.begin(), whole.end());
    aio context;
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PWRITE, part.data(), part.size(), 0)) ==
          static_cast<std::int64_t>(part.size()));
    std::memset(part.data(), 0x5a, part.size());
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, part.data(), part.size(), 0)) ==
          static_cast<std::int64_t>(part.size()));
    CHECK(same(whole, before));
}

/// The first address of a mapping that the kernel itself made; nullptr when there is none.
void* special_mapping(const std::string& name)
{
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line))
        if (line.ends_with(name)) return reinterpret_cast<void*>(std::stoul(line, nullptr, 16));
    return nullptr;
}

void check_cannot_be_pinned(void* address)
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = device_fixture::open_direct();
    aio context;
    CHECK(::pread(fd.get(), address, page_size, 0) == -1);
    CHECK(errno == EFAULT);
    CHECK(::pwrite(fd.get(), address, page_size, 0) == -1);
    CHECK(errno == EFAULT);
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PREAD, address, page_size, 0)) == -EFAULT);
    CHECK(context.run(aio::request(fd.get(), IOCB_CMD_PWRITE, address, page_size, 0)) == -EFAULT);
}

}  // namespace

TEST_CASE_METHOD(device_fixture, "memory that is shared, or of a file, is moved like any other")
{
    constexpr std::size_t size = 32 * page_size;
    const auto file = memory_file(size);
    check_moves(mapping(size, MAP_SHARED | MAP_ANONYMOUS).span());
    check_moves(mapping(size, MAP_SHARED, file.get()).span());
    check_moves(mapping(size, MAP_PRIVATE, file.get()).span());
}

TEST_CASE_METHOD(
    device_fixture,
    "a transfer within huge pages moves its bytes, and the pages go back to their pool")
{
    const huge_pages pool(2);
    const auto before = huge_pages::free();
    if (before < 2) SKIP("this machine has no huge pages to spare");
    check_moves(mapping(2 * huge_page_size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB).span());
    CHECK(huge_pages::free() == before);
}

TEST_CASE_METHOD(device_fixture,
                 "a huge page that is split while a request is in flight gets all its bytes")
{
    const setting latency("latency_us", "200000");
    const auto fd = device_fixture::open_node(), direct = device_fixture::open_direct();
    const auto expected = random_vector(64 * page_size, 113);
    REQUIRE(::pwrite(fd.get(), expected.data(), expected.size(), 0) ==
            static_cast<ssize_t>(expected.size()));
    const mapping twice(2 * huge_page_size, MAP_PRIVATE | MAP_ANONYMOUS);
    auto* huge = reinterpret_cast<std::byte*>(
        (reinterpret_cast<std::uintptr_t>(twice.data()) + huge_page_size - 1) / huge_page_size *
        huge_page_size);
    REQUIRE(::madvise(huge, huge_page_size, MADV_HUGEPAGE) == 0);
    std::memset(huge, 1, huge_page_size);
    aio context;
    auto request = aio::request(direct.get(), IOCB_CMD_PREAD, huge, expected.size(), 0);
    REQUIRE(context.submit(request) == 1);
    // What is given up lies beyond the transfer, but within the same huge page.
    REQUIRE(::madvise(huge + huge_page_size / 2, huge_page_size / 2, MADV_DONTNEED) == 0);
    REQUIRE(::mprotect(huge + page_size, page_size, PROT_READ) == 0);
    CHECK(context.wait(1).front().res == static_cast<std::int64_t>(expected.size()));
    CHECK(same({huge, expected.size()}, expected));
}

TEST_CASE_METHOD(device_fixture,
                 "reading into a private mapping of a file changes the memory, never the file")
{
    const auto file = memory_file(page_size);
    const std::vector<char> original(page_size, 'f');
    REQUIRE(::pwrite(file.get(), original.data(), page_size, 0) == page_size);
    const auto fd = open_direct();
    const auto expected = random_vector(page_size, 112);
    REQUIRE(::pwrite(open_node().get(), expected.data(), page_size, 0) == page_size);
    const mapping copy(page_size, MAP_PRIVATE, file.get());
    REQUIRE(copy.data()[0] == std::byte{'f'});  // mapped, not yet copied
    REQUIRE(::pread(fd.get(), copy.data(), page_size, 0) == page_size);
    CHECK(same(copy.span(), expected));
    std::vector<char> got(page_size);
    REQUIRE(::pread(file.get(), got.data(), page_size, 0) == page_size);
    CHECK(got == original);
}

TEST_CASE_METHOD(device_fixture, "memory of the kernel that is mapped here is EFAULT, not pinned")
{
    void* const address = special_mapping("[vvar]");
    if (address == nullptr) SKIP("this kernel maps no vvar");
    check_cannot_be_pinned(address);
}

TEST_CASE_METHOD(device_fixture, "secret memory is EFAULT, not pinned")
{
    const file_descriptor secret(static_cast<int>(::syscall(SYS_memfd_secret, 0)));
    if (!secret) SKIP("this kernel has no secret memory");
    REQUIRE(::ftruncate(secret.get(), page_size) == 0);
    const mapping hidden(page_size, MAP_SHARED, secret.get());
    hidden.data()[0] = std::byte{1};
    check_cannot_be_pinned(hidden.data());
}
