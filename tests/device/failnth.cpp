// SPDX-License-Identifier: MIT
#include "failnth.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "control.hpp"

namespace {

/// Quietly: a report of each would look like a complaint.
void enable_faults()
{
    const std::string debug = "/sys/kernel/debug/";
    for (const char* file : {"failslab/ignore-gfp-wait", "fail_page_alloc/ignore-gfp-wait",
                             "fail_page_alloc/ignore-gfp-highmem"})
        REQUIRE(control::get().write(debug + file, "N") == 0);
    REQUIRE(control::get().write(debug + "fail_page_alloc/min-order", "0") == 0);
    for (const char* kind : {"failslab", "fail_page_alloc", "fail_usercopy"})
        REQUIRE(control::get().write(debug + kind + "/verbose", "0") == 0);
}

/// Makes the nth point that this thread meets fail.
void arm(int fd, int nth)
{
    const auto text = std::to_string(nth);
    REQUIRE(::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
}

/// Disarms. Asking copies to user space, which is a point that can fail, too: then nothing before
/// it has.
/// @return whether it has failed something
bool fired(int fd)
{
    std::array<char, 16> text{};
    const ssize_t got = ::pread(fd, text.data(), text.size() - 1, 0);
    const bool none_left = got > 0 && std::atoi(text.data()) == 0;
    while (::pwrite(fd, "0", 1, 0) != 1) REQUIRE(errno == EFAULT);
    return none_left;
}

/// Want of memory, a copy that failed, or, by DMA, memory that could not be mapped.
bool is_clean(long result, bool dma, const std::vector<long>& others)
{
    return result >= 0 || result == -ENOMEM || result == -EFAULT || (dma && result == -EIO) ||
           std::find(others.begin(), others.end(), result) != others.end();
}

}  // namespace

long check_put(int fd, long result)
{
    std::array<std::byte, 2 * page_size> put{};
    const auto bytes = std::max<ssize_t>(::read(fd, put.data(), put.size()), 0);
    CHECK((bytes == std::max(result, 0L) || result == -EFAULT));
    CHECK(all_equal({put.data(), static_cast<std::size_t>(bytes)}, std::byte{0x77}));
    return result;
}

failnth_fixture::failnth_fixture()
    : fault_(scullpin::file_descriptor::open("/proc/thread-self/fail-nth", O_RDWR)),
      dma_(moves_by_dma())
{
    enable_faults();
    buffer_.fill(std::byte{0x77});
    REQUIRE(::pwrite(direct(), buffer_.data(), buffer_.size(), 0) ==
            static_cast<ssize_t>(buffer_.size()));
}

void failnth_fixture::check_works() const
{
    constexpr off_t at = 1 << 20;
    CHECK(::pwrite(direct(), other_.data(), page_size, at) == page_size);
    CHECK(::pread(direct(), other_.data(), page_size, at) == page_size);
}

void failnth_fixture::check_moved(const attempt& what, long result) const
{
    const auto bytes = static_cast<std::size_t>(std::max(result, 0L));
    if (what.bytes == moved::into_buffer)
        CHECK(all_equal(buffer_.span().first(bytes), std::byte{0x77}));
    if (what.bytes == moved::onto_device) {
        const auto size = static_cast<ssize_t>(other_.size());
        CHECK(::pread(direct(), other_.data(), other_.size(), 0) == size);
        CHECK(all_equal(other_.span().first(bytes), std::byte{0x77}));
    }
    buffer_.fill(std::byte{0x77});
}

int failnth_fixture::hits_of(const attempt& what) const
{
    for (int nth = 1;; nth++) {
        what.prepare();
        if (what.bytes == moved::into_buffer) buffer_.fill(std::byte{0x11});
        arm(fault_.get(), nth);
        const long begun = what.run();
        const bool hit = fired(fault_.get());
        CAPTURE(nth, begun, hit);
        const long result = what.finish(begun);
        CAPTURE(result);
        CHECK(is_clean(result, dma_, what.also_clean));
        check_moved(what, result);
        check_works();
        if (!hit) {
            CHECK((what.whole ? result == *what.whole : result >= 0));
            return nth - 1;
        }
        REQUIRE(nth < 2000);
    }
}

void failnth_fixture::exhaust(const attempt& what) const
{
    CAPTURE(what.name);
    const int hits = hits_of(what);
    CAPTURE(hits);
    if (what.hit) CHECK((hits > 0) == *what.hit);
    const auto size = static_cast<ssize_t>(buffer_.size());
    CHECK(::pwrite(direct(), buffer_.data(), buffer_.size(), 0) == size);
    CHECK(::pread(direct(), buffer_.data(), buffer_.size(), 0) == size);
    CHECK(all_equal(buffer_.span(), std::byte{0x77}));
}
