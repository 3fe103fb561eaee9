// SPDX-License-Identifier: MIT
// overlap: what is said of times, and that the times are of what they say.
#include <linux/magic.h>
#include <sys/vfs.h>

#include <csignal>

#include <catch_amalgamated.hpp>

#include "command.hpp"
#include "overlap/cold.hpp"
#include "overlap/computation.hpp"
#include "overlap/report.hpp"
#include "overlap/source.hpp"
#include "scullpin/error.hpp"
#include "temporary.hpp"

using namespace scullpin;
using namespace scullpin::overlap;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t block_size = 4096;

result sample()
{
    result all;
    all.what.path = "/dev/scullpin0";
    all.kind = geometry::kind::character_device;
    all.blocks = 64;
    all.backend = backend_kind::libaio;
    all.computation = 2ms;
    all.rows = {{way::cached, {100ms, 120ms, 170ms}, 0, 7},
                {way::direct, {130ms, 128ms, 264ms}, std::nullopt, 7},
                {way::asynchronous, {130ms, 128ms, 134ms}, std::nullopt, 7}};
    all.unavailable[way::mapped] = "map /dev/scullpin0: No such device";
    return all;
}

request request_of(const std::string& path)
{
    request what;
    what.path = path;
    what.block_bytes = block_size;
    what.computation = 20us;
    what.rounds = 1;
    return what;
}

bool is_on_tmpfs(const std::string& path)
{
    struct statfs status {};
    return ::statfs(path.c_str(), &status) == 0 && status.f_type == TMPFS_MAGIC;
}

outcome overlap_command(const std::string& arguments)
{
    return run_shell(SCULLPIN_COMMAND " overlap " + arguments + " 2>&1");
}

}  // namespace

TEST_CASE("overlap is how much of the shorter time was hidden, and is not cut to what it should be")
{
    CHECK(overlap_of({100ms, 100ms, 200ms}) == 0);
    CHECK(overlap_of({100ms, 100ms, 100ms}) == 1);
    CHECK(overlap_of({100ms, 300ms, 350ms}) == 0.5);
    CHECK(overlap_of({300ms, 100ms, 350ms}) == 0.5);
    CHECK(overlap_of({100ms, 100ms, 250ms}) == -0.5);
    CHECK(overlap_of({100ms, 100ms, 50ms}) == 1.5);
    CHECK(overlap_of({0ms, 100ms, 100ms}) == std::nullopt);
    CHECK(ideal_of({100ms, 300ms, 350ms}) == 300ms);
    CHECK(ideal_of({300ms, 100ms, 350ms}) == 300ms);
}

TEST_CASE("the table of overlap has a row for each way, and says what a way is that has none")
{
    CHECK(to_text(sample()) ==
          "/dev/scullpin0: read of 64 blocks of 64.0 KiB, 2.00 ms of computation on each\n"
          "asynchronous by libaio: 1 request in flight while a block is computed on\n"
          "each time is the shortest of 3; every pass begins with cold pages\n"
          "                    I/O  computation       both      ideal   overlap\n"
          "cached           100 ms       120 ms     170 ms     120 ms      50 %\n"
          "direct           130 ms       128 ms     264 ms     130 ms      -5 %\n"
          "asynchronous     130 ms       128 ms     134 ms     130 ms      97 %\n"
          "mapped is not to be had: map /dev/scullpin0: No such device\n");
    auto warm = sample();
    warm.rows[0].cached_before = 8192;
    warm.aborted = true;
    const auto text = to_text(warm);
    CHECK(text.find("\ncached began with 8.0 KiB that stayed in the page cache\n") !=
          std::string::npos);
    CHECK(text.find("of computation on each, aborted\n") != std::string::npos);
}

TEST_CASE("the document of overlap has the times of the table, with null for what is not known")
{
    CHECK(to_json(sample()).dump() ==
          R"({"schema":"scullpin-overlap/1","path":"/dev/scullpin0","kind":"char","rw":"read",)"
          R"("block_bytes":65536,"blocks":64,"backend":"libaio","iodepth":1,"rounds":3,)"
          R"("computation_ns_per_block":2000000,"ideal_overlap_percent":100,"rows":[)"
          R"({"way":"cached","io_ns":100000000,"computation_ns":120000000,"both_ns":170000000,)"
          R"("ideal_ns":120000000,"overlap_percent":50.0,"cached_before_bytes":0},)"
          R"({"way":"direct","io_ns":130000000,"computation_ns":128000000,"both_ns":264000000,)"
          R"("ideal_ns":130000000,"overlap_percent":-4.6875,"cached_before_bytes":null},)"
          R"({"way":"asynchronous","io_ns":130000000,"computation_ns":128000000,)"
          R"("both_ns":134000000,"ideal_ns":130000000,"overlap_percent":96.875,)"
          R"("cached_before_bytes":null}],)"
          R"("unavailable":{"mapped":"map /dev/scullpin0: No such device"},"aborted":false})");
}

TEST_CASE("the plot of overlap has bars for each way that was measured")
{
    const auto script = plot_script(sample());
    CHECK(
        script.starts_with("$rows << end_of_rows\n"
                           "\"cached\\n50 %\" 100 120 170 120\n"
                           "\"direct\\n-5 %\" 130 128 264 130\n"
                           "\"asynchronous\\n97 %\" 130 128 134 130\n"
                           "end_of_rows\n"));
    CHECK(plot_script({}).empty());
}

TEST_CASE("every way gives the blocks of a file in their order")
{
    const temporary_folder folder;
    const std::size_t blocks = 7;
    const auto path = random_file(folder, "f", blocks * block_size + 100);
    const auto bytes = read_file(path);
    auto what = request_of(path);
    what.iodepth = GENERATE(1, 2, 6);
    const auto backend = GENERATE(backend_kind::libaio, backend_kind::io_uring);
    for (const auto how : all_ways()) {
        CAPTURE(to_string(how), what.iodepth, to_string(backend));
        if (is_direct(how) && is_on_tmpfs(path)) continue;
        const auto from = make_source(how, what, blocks, backend);
        for (std::size_t i = 0; i < blocks; i++) {
            const auto block = from->next();
            REQUIRE(block.size() == block_size);
            const auto wanted = bytes.begin() + static_cast<std::ptrdiff_t>(i * block_size);
            CHECK(std::equal(block.begin(), block.end(), wanted));
        }
    }
}

TEST_CASE("a file that became shorter is an error of every way, not a signal")
{
    const temporary_folder folder;
    const auto path = random_file(folder, "f", block_size);
    const auto what = request_of(path);
    for (const auto how : all_ways()) {
        CAPTURE(to_string(how));
        if (is_direct(how) && is_on_tmpfs(path)) continue;
        const auto from = make_source(how, what, 2, backend_kind::libaio);
        static_cast<void>(from->next());
        CHECK_THROWS_AS(static_cast<void>(from->next()), std::system_error);
    }
}

TEST_CASE("computation on a block takes as long as it was to, within what a busy machine allows")
{
    const auto block = random_bytes(block_size);
    const computation shorter(1ms, block), longer(10ms, block);
    const auto ratio = static_cast<double>(longer.bytes()) / static_cast<double>(shorter.bytes());
    CHECK((ratio > 3 && ratio < 30));
    const auto begun = std::chrono::steady_clock::now();
    const auto hash = longer.run(block, 0);
    CHECK(std::chrono::steady_clock::now() - begun > 2ms);
    CHECK(hash != longer.run(block, 1));
    CHECK(hash != longer.run(random_bytes(block_size, 2), 0));
}

TEST_CASE("computation reads all of a block, however little time it was given")
{
    auto block = random_bytes(block_size);
    const computation least(1ns, block);
    CHECK(least.bytes() == block.size());
    const auto hash = least.run(block, 0);
    block.back() ^= std::byte{1};
    CHECK(least.run(block, 0) != hash);
}

TEST_CASE("pages that were cached are not any more when they were made cold")
{
    const temporary_folder folder;
    const auto path = random_file(folder, "f", std::size_t{1} << 20);
    if (is_on_tmpfs(path)) SKIP("tmpfs is its own page cache");
    static_cast<void>(read_file(path));
    CHECK(make_cold(path, std::uint64_t{1} << 20) == 0);
}

TEST_CASE("a range of a file is measured by all five ways, each of which reads the same")
{
    const temporary_folder folder;
    const auto path = random_file(folder, "f", 16 * block_size);
    const auto before = read_file(path);
    auto what = request_of(path);
    if (GENERATE(false, true)) what.computation.reset();
    const auto all = overlap::run(what, {});
    CHECK_FALSE(all.aborted);
    CHECK(all.blocks == 16);
    CHECK(all.computation.count() > 0);
    CHECK(all.rows.size() + all.unavailable.size() == all_ways().size());
    if (!is_on_tmpfs(path)) CHECK(all.unavailable.empty());
    for (const auto& one : all.rows) {
        CAPTURE(to_string(one.how));
        const auto& measured = one.measured;
        CHECK((measured.io > 0ns && measured.computation > 0ns && measured.both > 0ns));
        CHECK(one.hash == all.rows.front().hash);
        CHECK(one.hash != 0);
        if (!is_on_tmpfs(path)) CHECK(one.cached_before.value_or(0) == 0);
        CHECK(one.cached_before.has_value() == !is_direct(one.how));
    }
    CHECK(read_file(path) == before);
}

TEST_CASE("a run that is stopped has the ways that were complete")
{
    const temporary_folder folder;
    const auto what = request_of(random_file(folder, "f", 16 * block_size));
    std::atomic<bool> stop = false;
    control watched;
    watched.stop = &stop;
    watched.progress = [&stop](way how, unsigned) { stop = how == way::mapped; };
    const auto all = overlap::run(what, watched);
    CHECK(all.aborted);
    REQUIRE(all.rows.size() == 2);
    CHECK((all.rows[0].how == way::cached && all.rows[1].how == way::synchronous));
    CHECK(to_json(all)["aborted"] == true);
}

TEST_CASE("overlap that is interrupted writes a whole document and exits 128+n")
{
    const temporary_folder folder;
    const auto path = random_file(folder, "f", 64 * block_size);
    const auto signal = GENERATE(SIGINT, SIGTERM);
    const auto out = folder.file("out"), fifo = folder.file("fifo");
    const auto result = run_shell("mkfifo " + fifo + " && exec 3<>" + fifo +
                                  " && { " SCULLPIN_COMMAND
                                  " overlap --json --progress always --bs 4k --compute 20ms " +
                                  path + " >" + out + " 2>&3 & head -c 1 <&3 >/dev/null; kill -" +
                                  std::to_string(signal) + " $!; wait $!; }");
    CHECK(result.status == 128 + signal);
    std::ifstream file(out);
    const auto document = nlohmann::json::parse(file);
    CHECK(document["aborted"] == true);
    CHECK(document["rows"].size() < all_ways().size());
}

TEST_CASE("overlap refuses what makes no sense with exit 2, and says what to do")
{
    const temporary_folder folder;
    const auto path = " " + random_file(folder, "f", 65536);
    const std::pair<std::string, std::string> cases[] = {
        {"", "PATH is required"},
        {"--bs 0" + path, "too small"},
        {"--bs 1000" + path, "not a multiple of the 512 bytes"},
        {"--bs 4k --size 9000" + path, "not a multiple of the 512 bytes"},
        {"--bs 128k" + path, "fewer than one request"},
        {"--bs 64k" + path, "give a greater --size, or a smaller --bs or --iodepth"},
        {"--bs 4k --iodepth 16" + path, "--iodepth 16 needs at least 17"},
        {"--bs 4k --size 1m" + path, "has 65536 bytes"},
        {"--bs 4k --compute 0" + path, "give a time above it"},
        {"--bs 4k --compute x" + path, "not a time"},
        {"--bs 4k --rounds 0" + path, "--rounds"},
        {"--bs 4k --backend sync" + path, "--backend"},
        {"--bs 4k --plot /nowhere/x.svg" + path, "no file can be made"},
        {"--bs 4k --plot" + path + path, "would replace what is measured"},
        {"/dev/null", "give --size"},
    };
    for (const auto& [arguments, text] : cases) {
        CAPTURE(arguments);
        const auto result = overlap_command(arguments);
        CHECK(result.status == 2);
        CHECK_THAT(result.output, Catch::Matchers::ContainsSubstring(text));
    }
    CHECK(overlap_command(folder.file("none")).status == 6);
}

TEST_CASE("an I/O that fails ends overlap with exit 1 and the place of it")
{
    const auto result = overlap_command("--size 64k --bs 4k --compute 1ms /dev/null");
    CHECK(result.status == 1);
    CHECK_THAT(result.output, Catch::Matchers::ContainsSubstring("read 4096 bytes at 0 of"));
}

TEST_CASE("a plot of overlap is a picture with every way")
{
    const temporary_folder folder;
    const auto path = random_file(folder, "f", 65536), picture = folder.file("out.svg");
    const auto arguments = "--quiet --rounds 1 --bs 4k --plot " + picture + " " + path;
    const auto without =
        run_shell("PATH=/nonexistent " SCULLPIN_COMMAND " overlap " + arguments + " 2>&1");
    CHECK(without.status == 6);
    CHECK(without.output.find("gnuplot-nox") != std::string::npos);
    if (run_shell("command -v gnuplot").status != 0) SKIP("there is no gnuplot");
    REQUIRE(overlap_command(arguments).status == 0);
    std::ifstream file(picture);
    const std::string svg{std::istreambuf_iterator<char>(file), {}};
    for (const char* text : {"</svg>", "cached", "mapped", "both, achieved", "both, ideal"})
        CHECK(svg.find(text) != std::string::npos);
}
