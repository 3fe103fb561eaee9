// SPDX-License-Identifier: MIT
#include "scullpin/backend.hpp"

#include <array>
#include <stdexcept>

#include "backends.hpp"

namespace scullpin {

namespace {

constexpr std::array names{"sync", "vectored", "libaio", "io_uring", "mmap"};

}  // namespace

const char* to_string(backend_kind kind)
{
    return names.at(static_cast<std::size_t>(kind));
}

std::span<const backend_kind> all_backend_kinds()
{
    static constexpr std::array kinds{backend_kind::sync, backend_kind::vectored,
                                      backend_kind::libaio, backend_kind::io_uring,
                                      backend_kind::mmap};
    return kinds;
}

std::unique_ptr<backend> make_backend(backend_kind kind, int fd, unsigned depth,
                                      std::span<std::byte> registered)
{
    if (depth == 0) throw std::invalid_argument("a back end needs a depth above 0");
    switch (kind) {
    case backend_kind::sync: return make_sync_backend(fd, depth);
    case backend_kind::vectored: return make_vectored_backend(fd, depth);
    case backend_kind::libaio: return make_libaio_backend(fd, depth);
    case backend_kind::io_uring: return make_io_uring_backend(fd, depth, registered);
    case backend_kind::mmap: break;
    }
    return make_mmap_backend(fd, depth);
}

}  // namespace scullpin
