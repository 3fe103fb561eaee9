// SPDX-License-Identifier: MIT
#include "modes/mapped_loop.hpp"

#include <sys/mman.h>

#include <cstring>

#include "measure/position.hpp"
#include "scullpin/mapping.hpp"

namespace scullpin::modes {

namespace {

class mapped_loop : public measure::loop {
public:
    mapped_loop(const measure::cell& kind, const measure::target& on)
        : write_(kind.write),
          memory_(on.memory.first(kind.size)),
          mapping_(on.fd, on.span, kind.write ? PROT_READ | PROT_WRITE : PROT_READ, "mmap"),
          position_(on.span, kind.size)
    {
    }

    void run(std::size_t count) override
    {
        for (; count > 0; count--) {
            std::byte* there = mapping_.bytes().data() + position_.next();
            if (write_)
                std::memcpy(there, memory_.data(), memory_.size());
            else
                std::memcpy(memory_.data(), there, memory_.size());
            // The compiler may not leave one out because the next overwrites it.
            asm volatile("" ::: "memory");
        }
    }

private:
    bool write_;
    std::span<std::byte> memory_;
    mapping mapping_;
    measure::position position_;
};

}  // namespace

std::unique_ptr<measure::loop> make_mapped_loop(const measure::cell& kind,
                                                const measure::target& on)
{
    return std::make_unique<mapped_loop>(kind, on);
}

}  // namespace scullpin::modes
