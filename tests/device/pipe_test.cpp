// SPDX-License-Identifier: MIT
// Callers within the kernel: pipes, files, sockets' cousins.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "fixture.hpp"
#include "memory.hpp"

using scullpin::file_descriptor;

namespace {

struct two_ends {
    two_ends()
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        out = file_descriptor(ends[0]);
        in = file_descriptor(ends[1]);
    }
    file_descriptor out, in;
};

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "splice moves bytes from the device to a pipe and back, with every completion")
{
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto fd = open_node(GENERATE(0, O_DIRECT));
    const two_ends pipe;
    const memory out(8), in(8);
    fill_random(out.span(), 81);
    REQUIRE(::pwrite(fd.get(), out.data(), out.size(), 0) == 32768);
    off_t offset = 0;
    REQUIRE(::splice(fd.get(), &offset, pipe.in.get(), nullptr, 32768, 0) == 32768);
    // What is in the pipe is a copy: a later write to the device does not change it.
    REQUIRE(::pwrite(fd.get(), in.data(), in.size(), 0) == 32768);
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
                 "sendfile moves bytes from the device to a file and from a file to the device")
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
