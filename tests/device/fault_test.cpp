// SPDX-License-Identifier: MIT
// What never fails by itself fails here, at every point, once: the answer is exact, nothing stays
// held, and the next request works. Hidden: needs a module with fault points.
#include "fault.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "aio.hpp"
#include "memory.hpp"
#include "module.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

constexpr std::size_t pages = 40;  // more than two batches
constexpr auto mark = std::byte{0x5a};

/// The direct node of an empty device.
scullpin::file_descriptor open_empty()
{
    discard_all();
    return device_fixture::open_direct();
}

void check_device_works(int fd)
{
    const memory out(pages), in(pages);
    fill_random(out.span(), 7);
    CHECK(::pwrite(fd, out.data(), out.size(), 0) == static_cast<ssize_t>(out.size()));
    CHECK(::pread(fd, in.data(), in.size(), 0) == static_cast<ssize_t>(in.size()));
    CHECK(same(out.span(), in.span()));
}

std::int64_t nowait(int fd, direction dir, const memory& buffer)
{
    const iovec whole{buffer.data(), buffer.size()};
    const auto result = dir == direction::read ? ::preadv2(fd, &whole, 1, 0, RWF_NOWAIT)
                                               : ::pwritev2(fd, &whole, 1, 0, RWF_NOWAIT);
    return result < 0 ? -errno : result;
}

bool pins_each_page_once(const way& w)
{
    const std::string_view name = w.name;
    return name == "read" || name == "pread" || name == "libaio" || name == "io_uring";
}

direction each_direction()
{
    return GENERATE(direction::read, direction::write);
}
std::string each_completion()
{
    return GENERATE("auto", "inline", "deferred");
}

/// With this fault the module does not load, and without it does.
void check_load_fails(const char* point, int error)
{
    CAPTURE(point);
    CHECK(module::load(std::string("fault=") + point + ":1") == error);
    CHECK(!module::is_loaded());
    REQUIRE(module::load() == 0);
    check_device_works(device_fixture::open_direct().get());
    REQUIRE(module::unload_soon() == 0);
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "a page that cannot be pinned ends the transfer there, whichever it is",
                 "[.][fault]")
{
    const auto fd = open_empty();
    const setting completion("completion", each_completion());
    const auto dir = each_direction();
    const memory buffer(pages);
    for (const auto& way : all_ways()) {
        // Registered memory is not pinned by the driver, and segments that join within a page pin
        // it twice.
        if (!pins_each_page_once(way)) continue;
        for (const std::size_t page : {1, 2, 16, 17, 18, 33, 40}) {
            CAPTURE(way.name, page);
            const fault pin("pin_page", page);
            const auto before = static_cast<std::int64_t>((page - 1) * page_size);
            CHECK(way.run(fd.get(), dir, buffer.span(), 0) == (before != 0 ? before : -EFAULT));
            CHECK(pin.fired());
        }
    }
    check_device_works(fd.get());
}

TEST_CASE_METHOD(
    device_fixture,
    "without memory for the request the answer is ENOMEM, or EAGAIN to who must not wait",
    "[.][fault]")
{
    const auto fd = open_empty();
    const setting completion("completion", "deferred");
    const auto dir = each_direction();
    const memory buffer(pages);
    for (const auto& way : all_ways()) {
        CAPTURE(way.name);
        const fault allocation("request_alloc", 1);
        const auto result = way.run(fd.get(), dir, buffer.span(), 0);
        CHECK(allocation.fired());
        // io_uring asks without waiting first, and then once more.
        if (std::string_view(way.name).starts_with("io_uring"))
            CHECK(result == static_cast<std::int64_t>(buffer.size()));
        else
            CHECK(result == -ENOMEM);
    }
    aio context;
    auto request = aio::request(fd.get(), dir == direction::read ? IOCB_CMD_PREAD : IOCB_CMD_PWRITE,
                                buffer.data(), buffer.size(), 0);
    request.aio_rw_flags = RWF_NOWAIT;
    const fault allocation("request_alloc", 1);
    CHECK(context.run(request) == -EAGAIN);
    CHECK(allocation.fired());
    check_device_works(fd.get());
}

TEST_CASE_METHOD(device_fixture,
                 "without memory for the medium a write ends there or moves nothing", "[.][fault]")
{
    const std::string point = GENERATE("store_page", "store_index");
    const std::string completion_word = each_completion();
    const setting completion("completion", completion_word);
    const memory buffer(pages);
    for (const std::size_t page : {1, 2, 16, 17, 40}) {
        CAPTURE(point, completion_word, page);
        const auto fd = open_empty();
        const fault allocation(point, page);
        const auto before = static_cast<std::int64_t>((page - 1) * page_size);
        const auto result = ::pwrite(fd.get(), buffer.data(), buffer.size(), 0);
        // A request has all its pages before a byte moves; batches come as far as they can.
        if (completion_word == "deferred" || page == 1)
            CHECK((result == -1 && errno == ENOMEM));
        else
            CHECK(result == before);
        CHECK(allocation.fired());
        check_device_works(fd.get());
    }
    if (completion_word == "deferred") return;
    const auto fd = open_empty();
    const fault allocation(point, 20);
    CHECK(nowait(fd.get(), direction::write, buffer) == -EAGAIN);
    CHECK(allocation.fired());
    check_device_works(fd.get());
}

TEST_CASE_METHOD(
    device_fixture,
    "a cached write without memory for the medium ends there, and not when it is written back",
    "[.][fault]")
{
    const auto fd = open_empty();
    const auto plain = open_node();
    const memory buffer(pages);
    {
        const fault allocation("store_page", 3);
        CHECK(::pwrite(plain.get(), buffer.data(), buffer.size(), 0) == 2 * page_size);
    }
    CHECK(::fsync(plain.get()) == 0);
    check_device_works(fd.get());
}

TEST_CASE_METHOD(device_fixture,
                 "an engine that takes no request makes it EIO, and nothing was moved",
                 "[.][fault]")
{
    const auto fd = open_empty();
    const setting completion("completion", "deferred");
    const auto dir = each_direction();
    const memory buffer(pages);
    for (const auto& way : all_ways()) {
        CAPTURE(way.name);
        buffer.fill(mark);
        const fault submission("engine_submit", 1);
        CHECK(way.run(fd.get(), dir, buffer.span(), 0) == -EIO);
        CHECK(submission.fired());
        CHECK(all_equal(buffer.span(), mark));
    }
    check_device_works(fd.get());
}

TEST_CASE_METHOD(device_fixture,
                 "an engine that fails after some bytes moves exactly these, or makes it EIO",
                 "[.][fault]")
{
    const auto fd = open_empty();
    const setting completion("completion", each_completion());
    const memory buffer(pages);
    for (const auto& way : all_ways()) {
        for (const std::int64_t moved : {0L, 1L, 4096L, 70000L, 163839L}) {
            CAPTURE(way.name, moved);
            buffer.fill(mark);
            const fault byte("engine_bytes", static_cast<std::uint64_t>(moved) + 1);
            CHECK(way.run(fd.get(), direction::read, buffer.span(), 0) ==
                  (moved != 0 ? moved : -EIO));
            CHECK(byte.fired());
            // The device is empty: what it wrote is zeros.
            const auto split = static_cast<std::size_t>(moved);
            CHECK(all_equal(buffer.span().first(split), std::byte{0}));
            CHECK(all_equal(buffer.span().subspan(split), mark));
        }
    }
    check_device_works(fd.get());
}

TEST_CASE_METHOD(device_fixture, "a request that fails gives back what it took of the cap",
                 "[.][fault]")
{
    const std::string completion_word = each_completion();
    const setting completion("completion", completion_word),
        cap("max_pinned", std::to_string(pages * page_size));
    const memory buffer(pages);
    for (const char* point :
         {"pin_page", "store_page", "store_index", "engine_submit", "engine_bytes"}) {
        CAPTURE(point, completion_word);
        const auto fd = open_empty();
        {
            const fault failure(point, 1);
            (void)!::pwrite(fd.get(), buffer.data(), buffer.size(), 0);
        }
        discard_all();
        // Were a byte of the cap still taken, this request would have to wait for it.
        const setting at_once("completion", "inline");
        REQUIRE(nowait(fd.get(), direction::read, buffer) ==
                static_cast<std::int64_t>(buffer.size()));
    }
}

TEST_CASE_METHOD(module_fixture, "a module that cannot be set up says why, and nothing of it stays",
                 "[.][fault]")
{
    for (const char* point :
         {"request_queue", "engine_queue", "watch_queue", "node_class", "configfs_root"})
        check_load_fails(point, -ENOMEM);
    check_load_fails("node_numbers", -EBUSY);
    for (const char* nonsense :
         {"fault=pin_page", "fault=nowhere:1", "fault=pin_page:x", "fault=pin_page:-1"})
        CHECK(module::load(nonsense) == -EINVAL);
}

TEST_CASE_METHOD(module_fixture,
                 "a module that cannot make its first device says why, and nothing of it stays",
                 "[.][fault]")
{
    for (const char* point : {"device_alloc", "device_stats", "device_name", "device_add",
                              "mapping_mount", "mapping_bdi", "mapping_inode"})
        check_load_fails(point, -ENOMEM);
}
