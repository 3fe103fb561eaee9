// SPDX-License-Identifier: MIT
// One suite over every back end, on a file.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include <catch_amalgamated.hpp>

#include "scullpin/aligned_buffer.hpp"
#include "scullpin/backend.hpp"
#include "scullpin/file_descriptor.hpp"
#include "temporary.hpp"

using namespace scullpin;

namespace {

backend_kind any_backend()
{
    const auto kinds = all_backend_kinds();
    return GENERATE_COPY(from_range(kinds.begin(), kinds.end()));
}

std::map<std::uint64_t, std::int64_t> reap_all(backend& requests)
{
    std::vector<completion> ended;
    requests.reap(ended, requests.in_flight());
    std::map<std::uint64_t, std::int64_t> results;
    for (const auto& end : ended) results[end.tag] = end.result;
    return results;
}

}  // namespace

TEST_CASE("every back end writes and reads back the same bytes with a full queue")
{
    const auto kind = any_backend();
    CAPTURE(to_string(kind));
    constexpr std::size_t block = 8192, count = 8;
    const temporary_folder folder;
    const auto file = file_descriptor::open(folder.file("f"), O_RDWR | O_CREAT);
    REQUIRE(::ftruncate(file.get(), block * count) == 0);
    const auto bytes = random_bytes(block * count);
    const aligned_buffer out(bytes.size()), in(bytes.size());
    std::copy(bytes.begin(), bytes.end(), out.data());
    const auto requests = make_backend(kind, file.get(), count);

    for (const auto dir : {direction::write, direction::read}) {
        std::vector<operation> operations;
        const auto& memory = dir == direction::write ? out : in;
        for (std::size_t i = 0; i < count; i++)
            operations.push_back({dir, i * block, memory.span().subspan(i * block, block), i});
        requests->submit(operations);
        const auto results = reap_all(*requests);
        REQUIRE(results.size() == count);
        for (const auto& [tag, result] : results) CHECK(result == block);
        CHECK(requests->in_flight() == 0);
    }
    CHECK(std::equal(bytes.begin(), bytes.end(), in.data()));
}

TEST_CASE("bytes in pieces arrive in order, by every back end that takes pieces")
{
    const auto kind =
        GENERATE(backend_kind::vectored, backend_kind::libaio, backend_kind::io_uring);
    CAPTURE(to_string(kind));
    const temporary_folder folder;
    const auto bytes = random_bytes(10000);
    write_file(folder.file("f"), bytes);
    const auto file = file_descriptor::open(folder.file("f"), O_RDWR);
    const aligned_buffer buffer(10000);
    const std::vector<iovec> pieces{{buffer.data() + 4000, 6000}, {buffer.data(), 4000}};
    const auto requests = make_backend(kind, file.get(), 2);
    operation op{direction::read, 0, buffer.span().first(10000), 1, pieces};
    requests->submit({&op, 1});
    CHECK(reap_all(*requests).at(1) == 10000);
    CHECK(std::equal(bytes.begin(), bytes.begin() + 6000, buffer.data() + 4000));
    CHECK(std::equal(bytes.begin() + 6000, bytes.end(), buffer.data()));
    op.dir = direction::write;
    requests->submit({&op, 1});
    CHECK(reap_all(*requests).at(1) == 10000);
    CHECK(read_file(folder.file("f")) == bytes);
}

TEST_CASE("io_uring moves through a registered buffer, and memory outside it all the same")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(8192);
    write_file(folder.file("f"), bytes);
    const auto file = file_descriptor::open(folder.file("f"), O_RDWR);
    const aligned_buffer fixed(8192), other(8192);
    const auto requests = make_backend(backend_kind::io_uring, file.get(), 2, fixed.span());
    const operation operations[] = {{direction::read, 0, fixed.span(), 1},
                                    {direction::read, 0, other.span(), 2}};
    requests->submit(operations);
    const auto results = reap_all(*requests);
    CHECK((results.at(1) == 8192 && results.at(2) == 8192));
    CHECK(std::equal(bytes.begin(), bytes.end(), fixed.data()));
    CHECK(std::equal(bytes.begin(), bytes.end(), other.data()));
    CHECK_THROWS_AS(make_backend(backend_kind::io_uring, file.get(), 2,
                                 std::span(static_cast<std::byte*>(nullptr), 4096)),
                    std::system_error);
}

TEST_CASE("a request that is cancelled completes once, by every back end")
{
    const auto kind = any_backend();
    CAPTURE(to_string(kind));
    const temporary_folder folder;
    write_file(folder.file("f"), random_bytes(4096));
    const auto file = file_descriptor::open(folder.file("f"), O_RDWR);
    const aligned_buffer buffer(4096);
    const auto requests = make_backend(kind, file.get(), 2);
    const operation op{direction::read, 0, buffer.span(), 7};
    requests->submit({&op, 1});
    requests->cancel(7);
    requests->cancel(8);  // there is none
    std::vector<completion> ended;
    requests->reap(ended, 1);
    REQUIRE(ended.size() == 1);
    CHECK((ended[0].tag == 7 && (ended[0].result == 4096 || ended[0].result == -ECANCELED)));
}

TEST_CASE("a cancellation counts when it found something in flight")
{
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const file_descriptor empty(ends[0]), other(ends[1]);
    const aligned_buffer buffer(4096);
    const auto requests = make_backend(backend_kind::io_uring, empty.get(), 2);
    const operation op{direction::read, 0, buffer.span(), 7};
    requests->submit({&op, 1});
    requests->cancel(8);  // there is none
    requests->cancel(7);
    std::vector<completion> ended;
    requests->reap(ended, 1);
    REQUIRE(ended.size() == 1);
    requests->reap(ended, 0);
    CHECK(ended[0].result != 4096);
    CHECK(requests->cancelled() == 1);
}

TEST_CASE("every back end reports the kernel's error as the result of the operation")
{
    const auto kind = any_backend();
    CAPTURE(to_string(kind));
    const temporary_folder folder;
    write_file(folder.file("f"), random_bytes(4096));
    const auto file = file_descriptor::open(folder.file("f"), O_RDONLY);
    const aligned_buffer buffer(4096);
    const auto requests = make_backend(kind, file.get(), 1);
    const operation op{direction::write, 0, buffer.span(), 7};
    requests->submit({&op, 1});
    const auto results = reap_all(*requests);
    REQUIRE(results.size() == 1);
    CHECK(results.at(7) == (kind == backend_kind::mmap ? -EACCES : -EBADF));
}

TEST_CASE("waiting for nothing returns at the deadline")
{
    const auto kind = any_backend();
    CAPTURE(to_string(kind));
    const temporary_folder folder;
    const auto file = file_descriptor::open(folder.file("f"), O_RDWR | O_CREAT);
    const auto requests = make_backend(kind, file.get(), 1);
    std::vector<completion> ended;
    const auto deadline = backend::clock::now() + std::chrono::milliseconds(20);
    CHECK(requests->reap(ended, 1, deadline) == 0);
    CHECK(backend::clock::now() < deadline + std::chrono::seconds(5));
}

TEST_CASE("a back end of depth 0 is refused")
{
    CHECK_THROWS_AS(make_backend(any_backend(), 0, 0), std::invalid_argument);
}
