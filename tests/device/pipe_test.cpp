// SPDX-License-Identifier: MIT
// Callers within the kernel: pipes, files, sockets' cousins.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "fixture.hpp"
#include "memory.hpp"
#include "ring.hpp"
#include "two_ends.hpp"

using scullpin::file_descriptor;

namespace {

/// -errno instead of -1.
ssize_t answer(ssize_t result)
{
    return result < 0 ? -errno : result;
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "splice moves bytes from the device to a pipe and back, with every completion",
                 "[pipe]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const bool direct = GENERATE(false, true);
    const auto fd = open_node(direct ? O_DIRECT : 0);
    const two_ends pipe;
    const memory out(8), in(8);
    fill_random(out.span(), 81);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == 32768);
    off_t offset = 0;
    REQUIRE(::splice(fd.get(), &offset, pipe.in.get(), nullptr, 32768, 0) == 32768);
    // Direct, what is in the pipe is a copy: a later write to the device does not change it.
    // Cached, it is the cached page itself, as with every file.
    if (direct) REQUIRE(::pwrite(fd.get(), in.data(), in.size(), 0) == 32768);
    REQUIRE(::read(pipe.out.get(), in.data(), in.size()) == 32768);
    CHECK(same(in.span(), out.span()));

    const iovec segment{out.data(), out.size()};
    REQUIRE(::vmsplice(pipe.in.get(), &segment, 1, 0) == 32768);
    offset = 1 << 20;
    REQUIRE(::splice(pipe.out.get(), nullptr, fd.get(), &offset, 32768, 0) == 32768);
    in.fill(std::byte{0});
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 1 << 20) == 32768);
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture,
                 "sendfile moves bytes from the device to a file and from a file to the device",
                 "[pipe]")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const file_descriptor file(::memfd_create("scullpin", MFD_CLOEXEC));
    const memory out(8), in(8);
    fill_random(out.span(), 82);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == 32768);
    off_t offset = 0;
    REQUIRE(::sendfile(file.get(), fd.get(), &offset, 32768) == 32768);
    REQUIRE(::pread(file.get(), in.data(), in.size(), 0) == 32768);
    CHECK(same(in.span(), out.span()));

    REQUIRE(::lseek(fd.get(), 1 << 20, SEEK_SET) == 1 << 20);
    offset = 0;
    REQUIRE(::sendfile(fd.get(), file.get(), &offset, 32768) == 32768);
    in.fill(std::byte{0});
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 1 << 20) == 32768);
    CHECK(same(in.span(), out.span()));
}

TEST_CASE_METHOD(device_fixture,
                 "splice stops at the end of the device, and what has no place stays in the pipe",
                 "[pipe]")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const two_ends pipe;
    const memory out(2), in(2);
    fill_random(out.span(), 83);
    const auto size = static_cast<off_t>(attribute("size"));
    off_t offset = size;
    CHECK(::splice(fd.get(), &offset, pipe.in.get(), nullptr, 8192, 0) == 0);

    REQUIRE(::write(pipe.in.get(), out.data(), out.size()) == 8192);
    offset = size - 4096;
    CHECK(::splice(pipe.out.get(), nullptr, fd.get(), &offset, 8192, 0) == 4096);
    CHECK(offset == size);
    CHECK(answer(::splice(pipe.out.get(), nullptr, fd.get(), &offset, 8192, 0)) == -ENOSPC);
    CHECK(::read(pipe.out.get(), in.data(), in.size()) == 4096);
    CHECK(same(in.span().first(4096), out.span().last(4096)));

    offset = size - 4096;
    CHECK(::splice(fd.get(), &offset, pipe.in.get(), nullptr, 8192, 0) == 4096);
    CHECK(::read(pipe.out.get(), in.data(), in.size()) == 4096);
    CHECK(same(in.span().first(4096), out.span().first(4096)));
}

TEST_CASE_METHOD(device_fixture,
                 "a pipe that is short, full or empty makes splice short or EAGAIN, and one that "
                 "nobody reads makes it EPIPE",
                 "[pipe]")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    two_ends pipe(O_NONBLOCK);
    const memory out(8), in(8);
    fill_random(out.span(), 84);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == 32768);
    REQUIRE(::fcntl(pipe.in.get(), F_SETPIPE_SZ, 4096) == 4096);
    off_t offset = 0, back = 1 << 20;
    const auto to_device = [&] {
        return answer(::splice(pipe.out.get(), nullptr, fd.get(), &back, 32768, 0));
    };
    const auto to_pipe = [&] {
        return answer(
            ::splice(fd.get(), &offset, pipe.in.get(), nullptr, 32768, SPLICE_F_NONBLOCK));
    };
    CHECK(to_device() == -EAGAIN);
    for (std::size_t round = 0; round < 8; round++) {
        CHECK(to_pipe() == 4096);
        CHECK(to_pipe() == -EAGAIN);
        CHECK(to_device() == 4096);
    }
    CHECK(offset == 32768);
    CHECK(back == (1 << 20) + 32768);
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 1 << 20) == 32768);
    CHECK(same(in.span(), out.span()));

    pipe.out = {};
    struct sigaction ignore {
    }, before{};
    ignore.sa_handler = SIG_IGN;
    REQUIRE(::sigaction(SIGPIPE, &ignore, &before) == 0);
    CHECK(to_pipe() == -EPIPE);
    ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE_METHOD(device_fixture,
                 "a user's pages that are in a pipe are written to the device, once for each tee",
                 "[pipe]")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const two_ends first, second;
    const memory out(8), in(8);
    fill_random(out.span(), 85);
    // Pieces that end off page boundaries, but on blocks.
    const auto block = static_cast<std::size_t>(attribute("logical_block_size"));
    const std::array<iovec, 3> segments{iovec{out.data(), block}, iovec{out.data() + block, 16384},
                                        iovec{out.data() + block + 16384, 16384 - block}};
    REQUIRE(::vmsplice(first.in.get(), segments.data(), segments.size(), 0) == 32768);
    REQUIRE(::tee(first.out.get(), second.in.get(), 32768, 0) == 32768);
    off_t offset = 2 << 20;
    const auto move = [&](int from) {
        for (ssize_t moved = 0; moved < 32768;) {
            const auto step = ::splice(from, nullptr, fd.get(), &offset,
                                       static_cast<std::size_t>(32768 - moved), 0);
            REQUIRE(step > 0);
            moved += step;
        }
    };
    move(first.out.get());
    move(second.out.get());
    for (const off_t at : {2 << 20, (2 << 20) + 32768}) {
        in.fill(std::byte{0});
        REQUIRE(::pread(fd.get(), in.data(), in.size(), at) == 32768);
        CHECK(same(in.span(), out.span()));
    }
}

TEST_CASE_METHOD(device_fixture,
                 "a pipe's bytes that are no whole blocks are refused by direct I/O and stay there",
                 "[pipe]")
{
    const auto fd = open_direct();
    const two_ends pipe;
    const memory out(1), in(1);
    fill_random(out.span(), 86);
    REQUIRE(::write(pipe.in.get(), out.data(), 1000) == 1000);
    off_t offset = 0;
    CHECK(answer(::splice(pipe.out.get(), nullptr, fd.get(), &offset, 1000, 0)) == -EINVAL);
    CHECK(offset == 0);
    CHECK(::read(pipe.out.get(), in.data(), in.size()) == 1000);
    CHECK(same(in.span().first(1000), out.span().first(1000)));
}

TEST_CASE_METHOD(device_fixture,
                 "sendfile follows the positions of both files, and reaches a socket", "[pipe]")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const memory out(8), in(8);
    fill_random(out.span(), 87);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 4096) == 32768);
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const file_descriptor ours(ends[0]), theirs(ends[1]);
    REQUIRE(::lseek(fd.get(), 4096, SEEK_SET) == 4096);
    REQUIRE(::sendfile(theirs.get(), fd.get(), nullptr, 32768) == 32768);
    CHECK(::lseek(fd.get(), 0, SEEK_CUR) == 4096 + 32768);
    REQUIRE(::recv(ours.get(), in.data(), in.size(), MSG_WAITALL) == 32768);
    CHECK(same(in.span(), out.span()));
    // A file that ends first.
    const file_descriptor file(::memfd_create("scullpin", MFD_CLOEXEC));
    REQUIRE(::pwrite(file.get(), out.data(), 8192, 0) == 8192);
    REQUIRE(::lseek(fd.get(), 1 << 20, SEEK_SET) == 1 << 20);
    REQUIRE(::sendfile(fd.get(), file.get(), nullptr, 32768) == 8192);
    CHECK(::lseek(fd.get(), 0, SEEK_CUR) == (1 << 20) + 8192);
}

TEST_CASE_METHOD(device_fixture, "io_uring splices from the device to a pipe and back", "[pipe]")
{
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const two_ends pipe;
    ring ours(4);
    const memory out(8), in(8);
    fill_random(out.span(), 88);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == 32768);
    CHECK(ours.run([&](io_uring_sqe* entry) {
        io_uring_prep_splice(entry, fd.get(), 0, pipe.in.get(), -1, 32768, 0);
    }) == 32768);
    CHECK(ours.run([&](io_uring_sqe* entry) {
        io_uring_prep_splice(entry, pipe.out.get(), -1, fd.get(), 1 << 20, 32768, 0);
    }) == 32768);
    REQUIRE(::pread(fd.get(), in.data(), in.size(), 1 << 20) == 32768);
    CHECK(same(in.span(), out.span()));
}
