// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "scullpin/backend.hpp"

namespace scullpin {

std::unique_ptr<backend> make_sync_backend(int fd, unsigned depth);
std::unique_ptr<backend> make_vectored_backend(int fd, unsigned depth);
std::unique_ptr<backend> make_libaio_backend(int fd, unsigned depth);
std::unique_ptr<backend> make_io_uring_backend(int fd, unsigned depth,
                                               std::span<std::byte> registered);
std::unique_ptr<backend> make_mmap_backend(int fd, unsigned depth);

}  // namespace scullpin
