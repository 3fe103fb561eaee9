// SPDX-License-Identifier: MIT
// The kernel's own fault injection: of an operation, the first allocation or copy fails, then the
// second, and so on until the operation comes through. Stock kernels have none.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fixture.hpp"
#include "memory.hpp"

/// What an operation leaves of its result's bytes: 0x77 in the buffer, 0x77 at the device's start.
enum class moved { nothing, into_buffer, onto_device };

/// An operation whose allocations and copies fail one by one.
struct attempt {
    const char* name;
    std::optional<long> whole;  ///< the result when nothing fails; none: any that is no error
    std::function<long()> run;  ///< system calls only; result or -errno
    std::function<void()> prepare = [] {};
    std::function<long(long)> finish = [](long result) {
        return result;
    };  ///< after the fault: what was submitted ends as
    std::optional<bool> hit =
        true;  ///< whether it meets points that can fail; none: either is right
    std::vector<long> also_clean = {};  ///< more errnos that are right answers
    moved bytes = moved::nothing;
};

/// The result of a system call as result or -errno.
inline long result_of(long result)
{
    return result < 0 ? -errno : result;
}

/// Takes what an operation that ended as @p result has put at the other end of a pipe or socket,
/// and checks it: as many bytes of 0x77, or any number where the kernel failed to tell how far it
/// came. @return the same result
long check_put(int fd, long result);

/// Faults of every kind, hit quietly by the thread of the test. The device begins with 0x77 where
/// the operations are.
class failnth_fixture : public device_fixture {
public:
    failnth_fixture();

    /// Tries @p what with each of its faults: every answer is its result, a part of it, or a clean
    /// errno; after each the device works, and in the end it holds what it did.
    void exhaust(const attempt& what) const;

    [[nodiscard]] int direct() const { return direct_.get(); }
    [[nodiscard]] int plain() const { return plain_.get(); }
    /// Whether a DMA controller moves the bytes.
    [[nodiscard]] bool by_dma() const { return dma_; }
    /// Whether what only a transfer by DMA takes memory for must meet faults.
    [[nodiscard]] std::optional<bool> hits_by_dma() const
    {
        return dma_ ? std::optional(true) : std::nullopt;
    }
    /// 0x77 before and after each operation; while one reads into it, what it has not moved is not.
    [[nodiscard]] const memory& buffer() const { return buffer_; }

    /// The first bytes of the buffer, in two parts of which one ends off the pages.
    static constexpr long two_segments_bytes = 15 * page_size + 512;
    [[nodiscard]] std::array<iovec, 2> two_segments() const
    {
        constexpr std::size_t first = 5 * page_size + 512;
        return {iovec{buffer_.data(), first},
                iovec{buffer_.data() + first, two_segments_bytes - first}};
    }

private:
    void check_works() const;
    void check_moved(const attempt& what, long result) const;
    [[nodiscard]] int hits_of(const attempt& what) const;

    scullpin::file_descriptor fault_, direct_ = open_direct(), plain_ = open_node();
    memory buffer_{20}, other_{20};
    bool dma_;
};
