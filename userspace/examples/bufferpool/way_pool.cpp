// SPDX-License-Identifier: MIT
// The application's own cache; whether the page cache is below it depends on how the node was
// opened.
#include <algorithm>
#include <cerrno>

#include "scan.hpp"
#include "way.hpp"

namespace scullpin::bufferpool {

namespace {

class pool_way : public way {
public:
    pool_way(const device& node, const way_settings& settings)
        : node_(node),
          pool_(
              {settings.memory_bytes / settings.page_bytes, settings.page_bytes, settings.iodepth},
              [&](std::span<std::byte> arena) { return make(settings, arena); })
    {
    }

    void read(page_number page, witness& seen) override
    {
        const auto fixed = pool_.fix(page);
        seen.read(page, fixed.bytes());
    }

    void update(page_number page, witness& seen) override
    {
        const auto fixed = pool_.fix(page, intent::update);
        seen.update(page, fixed.bytes());
    }

    void scan(page_number first, std::uint64_t count, witness& seen) override
    {
        for (sequential_scan pages(pool_, first, count); !pages.at_end();) {
            const page_number page = pages.page();
            const auto fixed = pages.next();
            seen.read(page, fixed.bytes());
        }
    }

    void flush() override
    {
        pool_.flush();
        node_.sync();
    }

    [[nodiscard]] const pool* own_cache() const override { return &pool_; }
    [[nodiscard]] std::string mover() const override { return to_string(kind_); }

private:
    /// io_uring may be forbidden, or lack the right to keep the arena in memory.
    std::unique_ptr<backend> make(const way_settings& settings, std::span<std::byte> arena)
    {
        if (settings.backend) return make_kind(*settings.backend, settings.iodepth, {});
        for (const auto registered : {arena, std::span<std::byte>()}) {
            try {
                return make_kind(backend_kind::io_uring, settings.iodepth, registered);
            } catch (const std::system_error& error) {
                const int code = error.code().value();
                if (code != ENOMEM && code != EPERM && code != EACCES && code != ENOSYS) throw;
            }
        }
        return make_kind(backend_kind::libaio, settings.iodepth, {});
    }

    std::unique_ptr<backend> make_kind(backend_kind kind, unsigned depth,
                                       std::span<std::byte> registered)
    {
        auto made = make_backend(kind, node_.fd(), depth, registered);
        kind_ = kind;
        return made;
    }

    const device& node_;
    backend_kind kind_ = backend_kind::sync;
    pool pool_;
};

}  // namespace

std::unique_ptr<way> make_pool_way(const device& node, const way_settings& settings)
{
    return std::make_unique<pool_way>(node, settings);
}

}  // namespace scullpin::bufferpool
