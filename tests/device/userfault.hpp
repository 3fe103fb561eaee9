// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <catch_amalgamated.hpp>

#include "memory.hpp"
#include "scullpin/file_descriptor.hpp"

/// Memory whose first touch waits until the test lets it go on. The kernel's own accesses wait,
/// too, which takes root.
class userfault {
public:
    userfault() : fd_(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK)))
    {
        uffdio_api api{};
        api.api = UFFD_API;
        ready_ = fd_ && ::ioctl(fd_.get(), UFFDIO_API, &api) == 0;
    }

    /// Whether this user may have it.
    explicit operator bool() const { return ready_; }

    void watch(const std::byte* page, std::size_t pages) const
    {
        uffdio_register range{};
        range.range = {reinterpret_cast<std::uintptr_t>(page), pages * page_size};
        range.mode = UFFDIO_REGISTER_MODE_MISSING;
        REQUIRE(::ioctl(fd_.get(), UFFDIO_REGISTER, &range) == 0);
    }

    /// Somebody waits at a page within @p seconds.
    [[nodiscard]] bool has_caught(double seconds) const
    {
        pollfd entry{fd_.get(), POLLIN, 0};
        if (::poll(&entry, 1, static_cast<int>(seconds * 1000)) != 1) return false;
        uffd_msg message{};
        return ::read(fd_.get(), &message, sizeof(message)) == sizeof(message) &&
               message.event == UFFD_EVENT_PAGEFAULT;
    }

    /// Fills a page and wakes who waits for it.
    void fill(const std::byte* page, const std::byte* content) const
    {
        uffdio_copy copy{};
        copy.dst = reinterpret_cast<std::uintptr_t>(page);
        copy.src = reinterpret_cast<std::uintptr_t>(content);
        copy.len = page_size;
        REQUIRE(::ioctl(fd_.get(), UFFDIO_COPY, &copy) == 0);
    }

private:
    scullpin::file_descriptor fd_;
    bool ready_ = false;
};
