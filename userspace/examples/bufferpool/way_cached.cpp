// SPDX-License-Identifier: MIT
// pread and pwrite through the kernel's page cache.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/core.h>

#include "scullpin/aligned_buffer.hpp"
#include "way.hpp"

namespace scullpin::bufferpool {

namespace {

class cached_way : public way {
public:
    cached_way(const device& node, const way_settings& settings)
        : node_(node), page_(settings.page_bytes)
    {
        if (settings.random_advice) ::posix_fadvise(node.fd(), 0, 0, POSIX_FADV_RANDOM);
    }

    void read(page_number page, witness& seen) override
    {
        move(page, "read",
             [this](off_t at) { return ::pread(node_.fd(), page_.data(), page_.size(), at); });
        seen.read(page, page_.span());
    }

    void update(page_number page, witness& seen) override
    {
        move(page, "read",
             [this](off_t at) { return ::pread(node_.fd(), page_.data(), page_.size(), at); });
        seen.update(page, page_.span());
        move(page, "write",
             [this](off_t at) { return ::pwrite(node_.fd(), page_.data(), page_.size(), at); });
    }

    void scan(page_number first, std::uint64_t count, witness& seen) override
    {
        for (page_number page = first; page < first + count; page++) read(page, seen);
    }

    void flush() override { node_.sync(); }

    [[nodiscard]] std::string mover() const override { return "pread"; }

private:
    template <typename Call>
    void move(page_number page, const char* what, Call call) const
    {
        for (;;) {
            const ssize_t moved = call(static_cast<off_t>(page * page_.size()));
            if (moved == static_cast<ssize_t>(page_.size())) return;
            if (moved >= 0 || errno != EINTR) throw page_error(moved < 0 ? errno : EIO, what, page);
        }
    }

    const device& node_;
    aligned_buffer page_;
};

}  // namespace

std::unique_ptr<way> make_cached_way(const device& node, const way_settings& settings)
{
    return std::make_unique<cached_way>(node, settings);
}

}  // namespace scullpin::bufferpool
