// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>

#include <catch_amalgamated.hpp>

#include "scullpin/error.hpp"
#include "scullpin/transfer.hpp"
#include "temporary.hpp"

using namespace scullpin;

namespace {

struct two_files {
    explicit two_files(std::size_t size) : bytes(random_bytes(size))
    {
        write_file(first, bytes);
        write_file(second, {});
    }
    temporary_folder folder;
    std::string first = folder.file("a");
    std::string second = folder.file("b");
    std::vector<std::byte> bytes;
};

transfer_options options_of(std::uint64_t length)
{
    transfer_options options;
    options.length = length;
    options.block_size = 4096;
    options.iodepth = 4;
    return options;
}

}  // namespace

TEST_CASE("a copy is exact for every length around a block, with every back end")
{
    const auto kind = GENERATE(backend_kind::sync, backend_kind::vectored, backend_kind::libaio,
                               backend_kind::io_uring);
    const std::size_t size = GENERATE(0u, 1u, 511u, 4096u, 4097u, 100000u);
    CAPTURE(to_string(kind), size);
    const two_files files(size);
    auto options = options_of(size);
    options.backend = kind;
    const auto result = copy(endpoint::open(files.first, access::read_only, false),
                             endpoint::open(files.second, access::read_write, false), options);
    CHECK(result.bytes == size);
    CHECK(result.requests == (size + 4095) / 4096);
    CHECK(read_file(files.second) == files.bytes);
}

TEST_CASE("a comparison names the first byte that differs")
{
    const two_files files(50000);
    const std::size_t at = GENERATE(0u, 4095u, 4096u, 31234u, 49999u);
    auto changed = files.bytes;
    changed[at] ^= std::byte{1};
    if (at < 45000) changed[at + 4500] ^= std::byte{1};
    write_file(files.second, changed);
    const auto result =
        verify(endpoint::open(files.first, access::read_only, false),
               endpoint::open(files.second, access::read_only, false), options_of(50000));
    CHECK(result.mismatch == at);
}

TEST_CASE("a source that ends too early is an error, not a short copy")
{
    const two_files files(5000);
    const auto first = endpoint::open(files.first, access::read_only, false);
    const auto second = endpoint::open(files.second, access::read_write, false);
    CHECK_THROWS_AS(copy(first, second, options_of(9000)), std::runtime_error);
}

TEST_CASE("a copy that is told to stop drains and says so")
{
    const two_files files(100000);
    const std::atomic<bool> stop{true};
    auto options = options_of(100000);
    options.stop = &stop;
    const auto result = copy(endpoint::open(files.first, access::read_only, false),
                             endpoint::open(files.second, access::read_write, false), options);
    CHECK(result.stopped);
    CHECK(result.bytes == 0);
}

TEST_CASE("a folder is not a place to copy from")
{
    CHECK_THROWS_AS(endpoint::open("/tmp", access::read_only, false), std::system_error);
}
