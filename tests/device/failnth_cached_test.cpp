// SPDX-License-Identifier: MIT
// The same through the page cache: plain calls, write-back, mappings, pipes.
#include "failnth.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cached.hpp"

namespace {

/// A pipe that holds a page, or nothing.
class page_pipe {
public:
    page_pipe() { REQUIRE(::pipe2(ends_, O_NONBLOCK) == 0); }
    ~page_pipe()
    {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    page_pipe(const page_pipe&) = delete;
    page_pipe& operator=(const page_pipe&) = delete;

    [[nodiscard]] int out() const { return ends_[0]; }
    [[nodiscard]] int in() const { return ends_[1]; }
    void fill(const std::byte* page) const { REQUIRE(::write(in(), page, page_size) == page_size); }
    void empty() const
    {
        std::byte some[page_size];
        while (::read(out(), some, sizeof(some)) > 0) continue;
    }

private:
    int ends_[2] = {};
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
    exhaust({"read of what is not cached", size,
             [&] { return result_of(::pread(plain(), whole.data(), whole.size(), 0)); },
             drop_cached});
    exhaust({"write to holes", size,
             [&] { return result_of(::pwrite(plain(), whole.data(), whole.size(), 0)); },
             discard_all});
    exhaust({"write to a part of a page", 100,
             [&] { return result_of(::pwrite(plain(), whole.data(), 100, 1000)); }, drop_cached});
    exhaust({"write that is on the medium when it returns", size,
             [&] { return result_of(::pwritev2(plain(), &segment, 1, 0, RWF_DSYNC)); },
             discard_all});
    exhaust({"fsync", 0, [&] { return result_of(::fsync(plain())); }, dirty});
    exhaust({"direct read of what is dirty", size,
             [&] { return result_of(::pread(direct(), whole.data(), whole.size(), 0)); }, dirty});
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
    exhaust({"msync", 0,
             [&] { return result_of(::msync(mapped.data(), mapped.span().size(), MS_SYNC)); },
             [&] { std::memset(mapped.data(), 0x77, mapped.span().size()); }});
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
    const auto begin_full = [&] {
        begin();
        pipe.fill(buffer().data());
    };
    exhaust({"splice into a pipe", page_size,
             [&] { return result_of(::splice(plain(), &at, pipe.in(), nullptr, page_size, 0)); },
             begin});
    exhaust({"sendfile into a pipe", page_size,
             [&] { return result_of(::sendfile(pipe.in(), plain(), &at, page_size)); }, begin});
    exhaust({"direct splice into a pipe", page_size,
             [&] { return result_of(::splice(direct(), &at, pipe.in(), nullptr, page_size, 0)); },
             begin});
    exhaust({"splice from a pipe", page_size,
             [&] { return result_of(::splice(pipe.out(), nullptr, plain(), &at, page_size, 0)); },
             begin_full});
    exhaust({"direct splice from a pipe", page_size,
             [&] { return result_of(::splice(pipe.out(), nullptr, direct(), &at, page_size, 0)); },
             begin_full});
}
