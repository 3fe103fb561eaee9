// SPDX-License-Identifier: MIT
// The file is memory. What cannot be read is SIGBUS: this way has no errors to report.
#include <sys/mman.h>

#include "scullpin/error.hpp"
#include "scullpin/mapping.hpp"
#include "way.hpp"

namespace scullpin::bufferpool {

namespace {

class mapped_way : public way {
public:
    mapped_way(const device& node, const way_settings& settings)
        : page_bytes_(settings.page_bytes),
          map_(node.fd(), settings.pages * settings.page_bytes,
               settings.writable ? PROT_READ | PROT_WRITE : PROT_READ, "mmap " + node.path())
    {
        if (settings.random_advice)
            ::madvise(map_.bytes().data(), map_.bytes().size(), MADV_RANDOM);
    }

    void read(page_number page, witness& seen) override { seen.read(page, at(page)); }
    void update(page_number page, witness& seen) override { seen.update(page, at(page)); }

    void scan(page_number first, std::uint64_t count, witness& seen) override
    {
        for (page_number page = first; page < first + count; page++) read(page, seen);
    }

    void flush() override
    {
        if (::msync(map_.bytes().data(), map_.bytes().size(), MS_SYNC) != 0) throw_errno("msync");
    }

    [[nodiscard]] std::string mover() const override { return "mmap"; }

private:
    [[nodiscard]] std::span<std::byte> at(page_number page) const
    {
        return map_.bytes().subspan(page * page_bytes_, page_bytes_);
    }

    std::size_t page_bytes_;
    mapping map_;
};

}  // namespace

std::unique_ptr<way> make_mapped_way(const device& node, const way_settings& settings)
{
    return std::make_unique<mapped_way>(node, settings);
}

}  // namespace scullpin::bufferpool
