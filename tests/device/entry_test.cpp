// SPDX-License-Identifier: MIT
// Each way into the driver, directly and plainly: one test each, named `way in: NAME, directly` or
// `plainly`, so that the table in the README has a row for each.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "fixture.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

std::int64_t by_flags(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset,
                      int flags)
{
    const iovec segment{memory.data(), memory.size()};
    const auto at = static_cast<off_t>(offset);
    const auto result = dir == direction::read ? ::preadv2(fd, &segment, 1, at, flags)
                                               : ::pwritev2(fd, &segment, 1, at, flags);
    return result < 0 ? -errno : result;
}

template <int flags>
std::int64_t flagged(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset)
{
    return by_flags(fd, dir, memory, offset, flags);
}

/// As io_uring does: without waiting, and where the page cache cannot do that, once more.
std::int64_t nowait(int fd, direction dir, std::span<std::byte> memory, std::uint64_t offset)
{
    const auto result = by_flags(fd, dir, memory, offset, RWF_NOWAIT);
    const bool cached = !(::fcntl(fd, F_GETFL) & O_DIRECT);
    const auto refusal = dir == direction::write ? -EOPNOTSUPP : -EAGAIN;
    return cached && result == refusal ? by_flags(fd, dir, memory, offset, 0) : result;
}

/// Those of all tests, and the flags of preadv2 that change how a request may end.
std::vector<way> ways_in()
{
    std::vector<way> ways(all_ways().begin(), all_ways().end());
    ways.push_back({"preadv2 RWF_NOWAIT", false, nowait});
    ways.push_back({"preadv2 RWF_HIPRI", false, flagged<RWF_HIPRI>});
    ways.push_back({"preadv2 RWF_DSYNC", false, flagged<RWF_DSYNC>});
    return ways;
}

/// What every way must answer, whatever else there is to say of it elsewhere.
void check_way(const way& how, bool direct)
{
    const auto fd = device_fixture::open_node(direct ? O_DIRECT : 0);
    const auto run = [&](direction dir, std::span<std::byte> bytes, std::uint64_t offset) {
        return how.run(fd.get(), dir, bytes, offset);
    };
    const gain pinned("pages_pinned");
    const memory out(16), in(16);
    constexpr std::int64_t length = 16 * page_size;
    fill_random(out.span(), 99);
    CHECK(run(direction::write, out.span(), 5 * page_size) == length);
    CHECK(run(direction::read, in.span(), 5 * page_size) == length);
    CHECK(same(in.span(), out.span()));
    // Memory that io_uring has registered is pinned already, and not by this driver.
    CHECK((pinned.value() >= 16) == (direct && std::string_view(how.name) != "io_uring fixed"));

    const auto size = attribute("size");
    CHECK(run(direction::write, out.span(), size) == -ENOSPC);
    CHECK(run(direction::write, out.span(), size - page_size) == page_size);
    in.fill(std::byte{0});
    CHECK(run(direction::read, in.span(), size - page_size) == page_size);
    CHECK(same(in.span().first(page_size), out.span().first(page_size)));
    CHECK(run(direction::read, in.span(), size) == 0);
    if (direct) CHECK(run(direction::read, in.span().first(page_size), 1) == -EINVAL);
}

class way_test final : public Catch::ITestInvoker {
public:
    way_test(way how, bool direct) : how_(how), direct_(direct) {}
    void invoke() const override
    {
        const device_fixture fixture;
        check_way(how_, direct_);
    }

private:
    way how_;
    bool direct_;
};

/// Catch2's macros name a test where it stands; these names come from the list.
bool register_ways()
{
    for (const auto& how : ways_in())
        for (const bool direct : {true, false}) {
            const auto name =
                std::string("way in: ") + how.name + (direct ? ", directly" : ", plainly");
            // What may not wait does not, with an engine that always ends later.
            const bool may_wait = std::string_view(how.name).find("NOWAIT") == std::string::npos;
            const Catch::AutoReg registered(
                Catch::Detail::unique_ptr<Catch::ITestInvoker>(new way_test(how, direct)),
                CATCH_INTERNAL_LINEINFO, "",
                Catch::NameAndTags{name, may_wait ? "[way]" : "[way][cpu]"});
        }
    return true;
}

[[maybe_unused]] const bool registered = register_ways();

}  // namespace
