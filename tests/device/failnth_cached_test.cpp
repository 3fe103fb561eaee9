// SPDX-License-Identifier: MIT
// The same through the page cache: plain calls, write-back, mappings, pipes.
#include "failnth.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

#include "cached.hpp"
#include "two_ends.hpp"

namespace {

/// A pipe that holds a page, or nothing.
class page_pipe : public two_ends {
public:
    page_pipe() : two_ends(O_NONBLOCK) {}
    void fill(const std::byte* page) const
    {
        REQUIRE(::write(in.get(), page, page_size) == page_size);
    }
    void empty() const
    {
        std::byte some[page_size];
        while (::read(out.get(), some, sizeof(some)) > 0) continue;
    }
};

}  // namespace

TEST_CASE_METHOD(failnth_fixture,
                 "every cached operation survives the failure of its allocations and copies",
                 "[.][failnth]")
{
    const memory& whole = buffer();
    const iovec segment{whole.data(), whole.size()};
    const auto size = static_cast<long>(whole.size());
    const auto dirty = [&] { REQUIRE(::pwrite(plain(), whole.data(), whole.size(), 0) == size); };
    const auto reads = [&](const char* name, std::function<long()> run) {
        exhaust({.name = name,
                 .whole = size,
                 .run = std::move(run),
                 .prepare = drop_cached,
                 .bytes = moved::into_buffer});
    };
    const auto writes = [&](const char* name, std::function<long()> run) {
        exhaust({.name = name,
                 .whole = size,
                 .run = std::move(run),
                 .prepare = discard_all,
                 .bytes = moved::onto_device});
    };
    reads("pread of what is not cached",
          [&] { return result_of(::pread(plain(), whole.data(), whole.size(), 0)); });
    writes("pwrite to holes",
           [&] { return result_of(::pwrite(plain(), whole.data(), whole.size(), 0)); });
    reads("preadv", [&] { return result_of(::preadv(plain(), &segment, 1, 0)); });
    writes("pwritev to holes", [&] { return result_of(::pwritev(plain(), &segment, 1, 0)); });
    writes("write that is on the medium when it returns",
           [&] { return result_of(::pwritev2(plain(), &segment, 1, 0, RWF_DSYNC)); });
    exhaust({"write to a part of a page", 100,
             [&] { return result_of(::pwrite(plain(), whole.data(), 100, 1000)); }, drop_cached});
    exhaust(
        {"read ahead", 0,
         [&] { return -static_cast<long>(::posix_fadvise(plain(), 0, size, POSIX_FADV_WILLNEED)); },
         drop_cached});
    // Write-back by the CPU takes no memory, though the kernel's detectors may.
    const auto syncs = [&](const char* name, int (*call)(int)) {
        exhaust({.name = name,
                 .whole = 0,
                 .run = [&, call] { return result_of(call(plain())); },
                 .prepare = dirty,
                 .hit = hits_by_dma()});
    };
    syncs("fsync", ::fsync);
    syncs("fdatasync", ::fdatasync);
}

TEST_CASE_METHOD(failnth_fixture, "every use of a mapping survives the failure of its allocations",
                 "[.][failnth]")
{
    const view mapped(plain(), buffer().size());
    const auto populate = [&](int advice) {
        return [&mapped, advice] {
            return result_of(::madvise(mapped.data(), mapped.span().size(), advice));
        };
    };
    const auto drop = [] { drop_cached(); };
    exhaust({"mapping", 0, [&] {
                 void* place = ::mmap(nullptr, page_size, PROT_READ, MAP_SHARED, plain(), 0);
                 return place == MAP_FAILED ? -errno : ::munmap(place, page_size);
             }});
    exhaust({"loads", 0, populate(MADV_POPULATE_READ), drop});
    exhaust({"stores to holes", 0, populate(MADV_POPULATE_WRITE), [] { discard_all(); }});
    exhaust(
        {.name = "msync",
         .whole = 0,
         .run = [&] { return result_of(::msync(mapped.data(), mapped.span().size(), MS_SYNC)); },
         .prepare = [&] { std::memset(mapped.data(), 0x77, mapped.span().size()); },
         .hit = hits_by_dma()});
}

TEST_CASE_METHOD(failnth_fixture,
                 "every way by pipe survives the failure of its allocations and copies",
                 "[.][failnth]")
{
    const page_pipe pipe;
    loff_t at = 0;
    const auto begin = [&] {
        pipe.empty();
        at = 0;
    };
    const auto begin_empty = [&] {
        begin();
        discard_all();
    };
    const auto begin_full = [&] {
        begin_empty();
        pipe.fill(buffer().data());
    };
    const auto is_in_pipe = [&](long result) { return check_put(pipe.out.get(), result); };
    for (const int fd : {plain(), direct()}) {
        CAPTURE(fd == direct());
        exhaust(
            {"splice into a pipe", page_size,
             [&, fd] { return result_of(::splice(fd, &at, pipe.in.get(), nullptr, page_size, 0)); },
             begin, is_in_pipe});
        exhaust({.name = "splice from a pipe",
                 .whole = page_size,
                 .run =
                     [&, fd] {
                         return result_of(::splice(pipe.out.get(), nullptr, fd, &at, page_size, 0));
                     },
                 .prepare = begin_full,
                 .bytes = moved::onto_device});
    }
    exhaust({"sendfile into a pipe", page_size,
             [&] { return result_of(::sendfile(pipe.in.get(), plain(), &at, page_size)); }, begin,
             is_in_pipe});
    exhaust({.name = "a user's page, given to a pipe and from there to the device",
             .whole = page_size,
             .run =
                 [&] {
                     const iovec page{buffer().data(), page_size};
                     const long given = result_of(::vmsplice(pipe.in.get(), &page, 1, 0));
                     return given < 0 ? given
                                      : result_of(::splice(pipe.out.get(), nullptr, direct(), &at,
                                                           page_size, 0));
                 },
             .prepare = begin_empty,
             .bytes = moved::onto_device});
    const page_pipe copy;
    exhaust({.name = "tee, then splice to the device",
             .whole = page_size,
             .run =
                 [&] {
                     const long doubled =
                         result_of(::tee(pipe.out.get(), copy.in.get(), page_size, 0));
                     return doubled < 0 ? doubled
                                        : result_of(::splice(copy.out.get(), nullptr, plain(), &at,
                                                             page_size, 0));
                 },
             .prepare =
                 [&] {
                     copy.empty();
                     begin_full();
                 },
             .bytes = moved::onto_device});
    const scullpin::file_descriptor file(::memfd_create("failnth", 0));
    REQUIRE(::write(file.get(), buffer().data(), page_size) == page_size);
    for (const int fd : {plain(), direct()})
        exhaust({.name = "sendfile from a file to the device",
                 .whole = page_size,
                 .run =
                     [&, fd] {
                         ::lseek(fd, 0, SEEK_SET);
                         return result_of(::sendfile(fd, file.get(), &at, page_size));
                     },
                 .prepare = begin_empty,
                 .bytes = moved::onto_device});
    std::array<int, 2> sockets{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()) == 0);
    const scullpin::file_descriptor near(sockets[0]), far(sockets[1]);
    exhaust({.name = "sendfile from the device to a socket",
             .whole = page_size,
             .run = [&] { return result_of(::sendfile(near.get(), plain(), &at, page_size)); },
             .prepare =
                 [&] {
                     std::array<std::byte, page_size> some{};
                     while (::read(far.get(), some.data(), some.size()) > 0) continue;
                     at = 0;
                 },
             .finish = [&](long result) { return check_put(far.get(), result); },
             .also_clean = {-ENOBUFS}});
}
