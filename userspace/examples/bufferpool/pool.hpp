// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "frame.hpp"
#include "replacer.hpp"
#include "scullpin/aligned_buffer.hpp"
#include "scullpin/backend.hpp"

namespace scullpin::bufferpool {

/// What a pool has done. Pages, each of one transfer.
struct pool_counters {
    std::uint64_t hits = 0;             ///< fixes that found the page, read-ahead hits among them
    std::uint64_t misses = 0;           ///< fixes that had to read it
    std::uint64_t evictions = 0;        ///< pages that made room
    std::uint64_t device_reads = 0;     ///< by misses and by read-ahead
    std::uint64_t device_writes = 0;    ///< before eviction and by flush
    std::uint64_t read_ahead_hits = 0;  ///< first fixes of what read-ahead brought
};

/// A page that could not be read or written.
class page_error : public std::system_error {
public:
    page_error(int code, const char* what, page_number page);
    [[nodiscard]] page_number page() const noexcept { return page_; }

private:
    page_number page_;
};

/// Every frame is fixed: whoever asks holds too many pages, or the pool is too small.
class pool_full : public std::runtime_error {
public:
    explicit pool_full(std::size_t frames);
};

enum class intent { read, update };
enum class pattern { point, scan };

class pool;

/// A page that stays where it is until this ends. Move-only; ends before the pool does.
class fixed_page {
public:
    fixed_page(fixed_page&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), frame_(other.frame_), why_(other.why_)
    {
    }
    fixed_page& operator=(fixed_page&&) = delete;
    ~fixed_page();

    /// The page. Changed only when it was fixed for update, and then on the device by the next
    /// flush() at the latest.
    [[nodiscard]] std::span<std::byte> bytes() const;

private:
    friend class pool;
    fixed_page(pool& owner, frame_index frame, intent why)
        : owner_(&owner), frame_(frame), why_(why)
    {
    }

    pool* owner_;
    frame_index frame_;
    intent why_;
};

/// Makes the back end for the arena that it is given: io_uring can register it.
using backend_maker = std::function<std::unique_ptr<backend>(std::span<std::byte> arena)>;

struct pool_settings {
    std::size_t frames = 0;      ///< more than 0
    std::size_t page_bytes = 0;  ///< a multiple of 4096
    unsigned iodepth = 32;       ///< what the back end may have in flight
};

/// A buffer manager: a fixed number of pages of one file, in memory of its own.
///
/// Not thread-safe: one owner at a time, as the back end that it uses. The memory that it may use
/// is all there is from the beginning; nothing is allocated for a page later.
class pool {
public:
    pool(const pool_settings& settings, const backend_maker& make);
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    /// What is dirty is lost; flush() before.
    ~pool();

    /// The page, read if it is not here. An update waits until no write of the page is under way.
    /// @throws page_error with the page that failed, which may be another one that had to be
    /// written first: it stays, dirty; pool_full
    [[nodiscard]] fixed_page fix(page_number page, intent why = intent::read,
                                 pattern how = pattern::point);

    /// Starts reading pages from @p first that are not here, up to @p count, without waiting for
    /// them. Ends early when that would need more than the device or the pool can take now.
    /// @throws page_error of a page that had to be written first
    void read_ahead(page_number first, std::size_t count);
    /// Pages that read-ahead may be ahead of its scan.
    [[nodiscard]] std::size_t read_ahead_most() const noexcept;

    /// Writes what is dirty and not fixed for update, and waits for it. Not fsync(2).
    /// @throws page_error; what could not be written stays dirty
    void flush();

    [[nodiscard]] const pool_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] bool holds(page_number page) const { return table_.contains(page); }
    [[nodiscard]] std::size_t frames() const noexcept { return frames_.size(); }

private:
    friend class fixed_page;
    struct failure {
        int code;
        page_number page;
    };

    [[nodiscard]] std::span<std::byte> bytes(frame_index index) const;
    void unfix(frame_index index, intent why) noexcept;

    frame_index find(page_number page, pattern how);
    frame_index load(page_number page, pattern how);
    frame_index take_frame(pattern how);
    std::optional<frame_index> victim(pattern how);
    void evict(frame_index index);
    void assign(frame_index index, page_number page, pattern how);
    void release(frame_index index);

    void clean_ahead(pattern how);
    void start(frame_index index, frame::transfer what);
    void submit();
    void wait_some();
    void wait_for(frame_index index);
    void complete(const completion& end);
    void throw_failed_write();

    pool_settings settings_;
    aligned_buffer arena_;
    std::unique_ptr<backend> backend_;
    std::vector<frame> frames_;
    std::vector<frame_index> free_;
    std::unordered_map<page_number, frame_index> table_;
    replacer replacer_;
    pool_counters counters_;
    std::vector<operation> batch_;  ///< to be submitted together
    std::vector<completion> ended_;
    std::optional<failure> failed_write_;  ///< the last one, until somebody is told
    std::size_t until_cleaning_ = 0;       ///< evictions
};

}  // namespace scullpin::bufferpool
