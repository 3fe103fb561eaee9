// SPDX-License-Identifier: MIT
#include "scullpin/backend.hpp"

#include <array>
#include <stdexcept>

#include "backends.hpp"

namespace scullpin {

namespace {

struct backend_entry {
    backend_kind kind;
    const char* name;
    std::unique_ptr<backend> (*make)(int fd, unsigned depth);
};

constexpr std::array backends{
    backend_entry{backend_kind::sync, "sync", make_sync_backend},
    backend_entry{backend_kind::vectored, "vectored", make_vectored_backend},
    backend_entry{backend_kind::libaio, "libaio", make_libaio_backend},
    backend_entry{backend_kind::io_uring, "io_uring", make_io_uring_backend},
    backend_entry{backend_kind::mmap, "mmap", make_mmap_backend},
};

const backend_entry& entry_of(backend_kind kind)
{
    return backends.at(static_cast<std::size_t>(kind));
}

}  // namespace

const char* to_string(backend_kind kind)
{
    return entry_of(kind).name;
}

std::span<const backend_kind> all_backend_kinds()
{
    static constexpr std::array kinds{backend_kind::sync, backend_kind::vectored,
                                      backend_kind::libaio, backend_kind::io_uring,
                                      backend_kind::mmap};
    return kinds;
}

std::unique_ptr<backend> make_backend(backend_kind kind, int fd, unsigned depth)
{
    if (depth == 0) throw std::invalid_argument("a back end needs a depth above 0");
    return entry_of(kind).make(fd, depth);
}

}  // namespace scullpin
