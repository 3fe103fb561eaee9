// SPDX-License-Identifier: MIT
// modes: what is said of figures, and that the figures are measured, each way on its own.
#include <catch_amalgamated.hpp>

#include "command.hpp"
#include "modes/report.hpp"
#include "scullpin/error.hpp"
#include "temporary.hpp"

using namespace scullpin;
using namespace scullpin::modes;

namespace {

/// A row with a figure for each way, in their order; 0 for none.
row row_of(std::uint64_t size, const std::array<double, all_ways().size()>& latencies)
{
    row at{size, 32, {}};
    for (std::size_t i = 0; i < latencies.size(); i++)
        if (latencies[i] > 0)
            at.ways[i] = figure{latencies[i], static_cast<double>(size) * 1e9 / latencies[i]};
    return at;
}

survey sample()
{
    survey all;
    all.what.path = "/dev/scullpin0";
    all.rows = {row_of(512, {100, 200, 50, 0, 0}), row_of(1024, {200, 400, 100, 190, 300}),
                row_of(2048, {400, 800, 200, 410, 390}), row_of(4096, {800, 1600, 400, 790, 700})};
    return all;
}

request small(const std::string& path)
{
    request what;
    what.path = path;
    what.span = std::uint64_t{1} << 20;
    what.least = 4096;
    what.most = 8192;
    what.iodepth = 4;
    what.spent.round_ns = 1e5;
    return what;
}

int status_of(const std::string& arguments)
{
    return ::run("modes " + arguments).status;
}

}  // namespace

TEST_CASE("a way has overtaken the page cache where it is no worse at every greater size")
{
    const auto found = crossovers(sample());
    REQUIRE(found.size() == 4);
    CHECK((found[0].how == way::synchronous && !found[0].latency && !found[0].throughput));
    CHECK((found[1].how == way::mapped && found[1].latency == 512));
    // Better at 1024, worse at 2048, better again: only the last counts.
    CHECK((found[2].how == way::direct && found[2].latency == 4096));
    CHECK((found[3].how == way::asynchronous && found[3].latency == 2048));
    auto nothing = sample();
    for (auto& at : nothing.rows) at.ways[index_of(way::cached)].reset();
    CHECK(crossovers(nothing).empty());
}

TEST_CASE("the table of modes marks the best way of each size, and a missing one has no figure")
{
    auto all = sample();
    all.rows.resize(2);
    all.unavailable[way::direct] = "open: Invalid argument";
    CHECK(to_text(all) ==
          "/dev/scullpin0: read of 16 MiB, asynchronous by io_uring at depth 32\n"
          "latency of one request, the shortest marked\n"
          "                cached    synchronous         mapped         direct   asynchronous \n"
          "   512 B        100 ns         200 ns          50 ns*             -              - \n"
          "   1 KiB        200 ns         400 ns         100 ns*        190 ns         300 ns \n"
          "throughput, the greatest marked\n"
          "                cached    synchronous         mapped         direct   asynchronous \n"
          "   512 B     4.8 GiB/s      2.4 GiB/s      9.5 GiB/s*             -              - \n"
          "   1 KiB     4.8 GiB/s      2.4 GiB/s      9.5 GiB/s*     5.0 GiB/s      3.2 GiB/s \n"
          "synchronous is no worse than cached: by latency never, by throughput never\n"
          "mapped is no worse than cached: by latency from 512 B, by throughput from 512 B\n"
          "direct is no worse than cached: by latency from 1 KiB, by throughput from 1 KiB\n"
          "asynchronous is no worse than cached: by latency never, by throughput never\n"
          "direct is not to be had: open: Invalid argument\n");
}

TEST_CASE("the document of modes has the figures of the table, with null for none")
{
    const auto document = to_json(sample());
    CHECK(document["schema"] == "scullpin-modes/1");
    CHECK(document["rw"] == "read");
    REQUIRE(document["rows"].size() == 4);
    CHECK(document["rows"][0]["ways"]["direct"].is_null());
    CHECK(document["rows"][1]["ways"]["direct"]["latency_ns"] == 190);
    CHECK(document["rows"][1]["ways"]["cached"]["throughput_bytes_per_s"] == 5.12e9);
    CHECK(document["crossovers"][2] == nlohmann::ordered_json{{"way", "direct"},
                                                              {"latency_bytes", 4096},
                                                              {"throughput_bytes", 4096}});
    CHECK(document["crossovers"][0]["latency_bytes"].is_null());
    CHECK(document["aborted"] == false);
}

TEST_CASE("the plot of modes has a curve for each way that was measured, and marks crossovers")
{
    const auto script = plot_script(sample());
    for (const auto how : all_ways())
        CHECK(script.find(std::string("title '") + to_string(how) + "'") != std::string::npos);
    CHECK(script.find("set arrow from 4096, graph 0") != std::string::npos);
    survey nothing;
    nothing.rows = {row_of(512, {})};
    CHECK(plot_script(nothing).empty());
}

TEST_CASE("every way of a file is measured at every size, and writes only when asked to")
{
    const temporary_folder folder;
    const auto path = random_file(folder, "f", std::size_t{1} << 20);
    const auto before = read_file(path);
    auto what = small(path);
    what.backend = GENERATE(backend_kind::io_uring, backend_kind::libaio);
    what.write = GENERATE(false, true);
    const auto all = modes::run(what, {});
    REQUIRE(all.rows.size() == 2);
    CHECK_FALSE(all.aborted);
    for (const auto& at : all.rows)
        for (const auto how : all_ways()) {
            CAPTURE(at.size, to_string(how));
            // A folder on tmpfs knows no O_DIRECT, and that is said.
            if (all.unavailable.contains(how)) continue;
            REQUIRE(at.ways[index_of(how)].has_value());
            CHECK(at.ways[index_of(how)]->latency_ns > 0);
            CHECK(at.ways[index_of(how)]->bytes_per_s > 0);
        }
    CHECK_FALSE(all.rows[0].ways[index_of(way::cached)] == std::nullopt);
    CHECK((read_file(path) == before) == !what.write);
}

TEST_CASE("requests in flight of the asynchronous way never overlap")
{
    const temporary_folder folder;
    auto what = small(random_file(folder, "f", std::size_t{1} << 20));
    what.most = std::uint64_t{1} << 20;
    what.least = what.most / 2;
    const auto all = modes::run(what, {});
    CHECK(all.rows[0].iodepth == 2);
    CHECK(all.rows[1].iodepth == 1);
}

TEST_CASE("modes that were stopped say so, and have no figure made up")
{
    const temporary_folder folder;
    const auto what = small(random_file(folder, "f", std::size_t{1} << 20));
    std::atomic<bool> stop = false;
    survey_control control;
    control.stop = &stop;
    control.progress = [&stop](way how, std::uint64_t) { stop = how == way::synchronous; };
    const auto all = modes::run(what, control);
    CHECK(all.aborted);
    CHECK(all.rows[1].ways[index_of(way::cached)].has_value());
    CHECK(all.rows[0].ways[index_of(way::synchronous)].has_value());
    CHECK_FALSE(all.rows[1].ways[index_of(way::synchronous)].has_value());
    CHECK_FALSE(all.rows[0].ways[index_of(way::direct)].has_value());
    CHECK(to_json(all)["aborted"] == true);
}

TEST_CASE("modes refuses what makes no sense with exit 2, and a missing node with 6")
{
    const temporary_folder folder;
    const auto path = random_file(folder, "f", 65536);
    CHECK(status_of("") == 2);
    CHECK(status_of("--rw sideways " + path) == 2);
    CHECK(status_of("--bsrange 3k-8k --size 64k " + path) == 2);
    CHECK(status_of("--bsrange 8k-4k --size 64k " + path) == 2);
    CHECK(status_of("--bsrange 4k-128k --size 64k " + path) == 2);
    CHECK(status_of("--bsrange 4k-32k --size 48k " + path) == 2);
    CHECK(status_of("--bsrange 4k --size 1m " + path) == 2);
    CHECK(status_of("--backend sync --bsrange 4k --size 64k " + path) == 2);
    CHECK(status_of("--plot /nowhere/x.svg --bsrange 4k --size 64k " + path) == 2);
    CHECK(status_of("--bsrange 4k --size 64k " + folder.file("none")) == 6);
    CHECK(status_of("--bsrange 4k --size 64k " + path) == 0);
}
