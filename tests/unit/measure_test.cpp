// SPDX-License-Identifier: MIT
// The program that measures: names of cells, and that what fails or is short is never fast.
#include <fcntl.h>
#include <unistd.h>

#include <catch_amalgamated.hpp>

#include "measure/cell.hpp"
#include "measure/round.hpp"
#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"
#include "temporary.hpp"

using namespace scullpin::measure;
using scullpin::page_kind;
using scullpin::page_pool;

TEST_CASE("the name of a cell says what is measured")
{
    const auto sync = parse_cell("pwrite-64k-thp");
    CHECK((sync.how == api::sync && sync.write && sync.size == 65536 && sync.depth == 1));
    CHECK((sync.pages == page_kind::thp && !sync.fixed && sync.name == "pwrite-64k-thp"));
    const auto ring = parse_cell("uring-write-512-qd32-fixed");
    CHECK((ring.how == api::io_uring && ring.write && ring.size == 512 && ring.depth == 32));
    CHECK((ring.pages == page_kind::base && ring.fixed));
    const auto aio = parse_cell("libaio-1m-qd1-hugetlb");
    CHECK((aio.how == api::libaio && !aio.write && aio.size == 1048576 && aio.depth == 1));
    CHECK(aio.pages == page_kind::hugetlb);
}

TEST_CASE("a cell whose name makes no sense is refused")
{
    const auto name =
        GENERATE(as<std::string>{}, "", "pread", "read-4k", "pread-", "pread-4k-", "pread-4x",
                 "pread-0", "pread-4k-qd2", "libaio-4k-qd0", "libaio-4k-qd257", "libaio-4k-qd",
                 "libaio-4k-qdx", "libaio-4k-qd99999999999", "libaio-4k-qd4-fixed", "pread-4k-odd");
    CAPTURE(name);
    CHECK_THROWS_AS(parse_cell(name), scullpin::usage_error);
}

TEST_CASE("a measured I/O that is not of full length is an error, by every call")
{
    const temporary_folder folder;
    write_file(folder.file("short"), random_bytes(6144));
    const auto fd = scullpin::file_descriptor::open(folder.file("short"), O_RDWR);
    const page_pool pool(page_kind::base, std::size_t{2} << 20);
    const auto name = GENERATE(as<std::string>{}, "pread-4k", "libaio-4k-qd2", "uring-4k-qd2",
                               "uring-4k-qd2-fixed");
    CAPTURE(name);
    const auto kind = parse_cell(name);
    const auto memory = pool.memory().first(kind.depth * kind.size);
    const auto whole = make_loop(kind, {fd.get(), 4096, memory});
    CHECK_NOTHROW(whole->run(8));
    const auto cut = make_loop(kind, {fd.get(), 8192, memory});
    CHECK_THROWS_AS(cut->run(8), std::system_error);
}

TEST_CASE("what is measured is told a round, and rounds agree or it is said")
{
    const temporary_folder folder;
    write_file(folder.file("long"), random_bytes(65536));
    const auto fd = scullpin::file_descriptor::open(folder.file("long"), O_RDWR);
    const page_pool pool(page_kind::base, std::size_t{2} << 20);
    const auto kind = parse_cell("pread-4k");
    const auto what = make_loop(kind, {fd.get(), 65536, pool.memory().first(4096)});
    const auto loose = measure(*what, 1, {.rounds = 2, .tolerance = 1e9, .round_ns = 1e5});
    CHECK((loose.agree && loose.nanoseconds.size() == 2 && loose.nanoseconds[0] > 0));
    const auto strict = measure(*what, 1, {.rounds = 5, .tolerance = -1, .round_ns = 1e4});
    CHECK((!strict.agree && strict.nanoseconds.size() == 5));
}
