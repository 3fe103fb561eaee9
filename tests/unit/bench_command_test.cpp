// SPDX-License-Identifier: MIT
// bench and ping as a user meets them: documents, exit codes, signals.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <sstream>

#include <catch_amalgamated.hpp>
#include <nlohmann/json.hpp>

#include "temporary.hpp"

using nlohmann::json;

namespace {

struct outcome {
    int status;
    std::string output;
};

int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// @param command for a shell, which knows the program as $scullpin
outcome run(const std::string& command)
{
    std::FILE* pipe = ::popen(("scullpin=" SCULLPIN_COMMAND "; " + command).c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    std::array<char, 4096> chunk{};
    while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe))
        output.append(chunk.data(), got);
    return {code_of(::pclose(pipe)), output};
}

int status_of(const std::string& arguments)
{
    return run("$scullpin " + arguments + " 2>/dev/null").status;
}

/// The one document of a command that says nothing else.
json document_of(const std::string& arguments)
{
    const auto result = run("$scullpin " + arguments + " 2>&1");
    CAPTURE(result.output);
    REQUIRE(result.status == 0);
    return json::parse(result.output);
}

std::vector<std::string> keys(const json& object)
{
    std::vector<std::string> names;
    for (const auto& [key, value] : object.items()) names.push_back(key);
    return names;
}

/// Starts the command, waits for its first byte on @p watched (1 or 2), and sends it a signal.
outcome interrupt(const std::string& arguments, int signal, int watched, const std::string& output)
{
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const auto command = "exec " SCULLPIN_COMMAND " " + arguments;
    const int other = watched == 2 ? 1 : 2;
    const pid_t child = ::fork();
    if (child == 0) {
        const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(ends[1], watched);
        ::dup2(file, other);
        ::close(ends[0]);
        ::close(ends[1]);
        ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        ::_exit(127);
    }
    REQUIRE(child > 0);
    ::close(ends[1]);
    std::array<char, 4096> chunk{};
    std::string seen;
    ssize_t got = ::read(ends[0], chunk.data(), 1);
    CHECK(got == 1);
    ::kill(child, signal);
    for (; got > 0; got = ::read(ends[0], chunk.data(), chunk.size()))
        seen.append(chunk.data(), static_cast<std::size_t>(got));
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return {code_of(status), seen};
}

std::string text_of(const std::string& path)
{
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("bench and ping refuse what makes no sense with exit 2, and touch nothing")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f", 65536);
    const auto before = read_file(file);
    const std::string write = "bench --rw randwrite --size 64k ";
    write_file(folder.file("empty"), {});
    // The last of the paths is known to be wrong before the first is written.
    for (const auto& arguments :
         std::vector<std::string>{"bench",
                                  "bench --rw sideways " + file,
                                  "bench --bs 0 " + file,
                                  "bench --runtime 0 " + file,
                                  "bench --runtime 5x " + file,
                                  "bench --numjobs 0 " + file,
                                  "bench --iodepth 0 " + file,
                                  "bench --rwmixread 30 " + file,
                                  "bench --bs 128k " + file,
                                  "bench --fixedbufs " + file,
                                  "bench --size 65k " + file,
                                  "bench /dev/null",
                                  "bench --direct --bs 1000 " + file,
                                  "bench --rw rw --rwmixread 101 " + file,
                                  write + "--fixedbufs --backend libaio " + file,
                                  write + "--rwmixread 50 " + file,
                                  write + "--offset 1 " + file,
                                  write + "--plot /nonexistent/out.svg " + file,
                                  write + "--plot " + file + " " + file,
                                  write + "--plot /dev/null " + file,
                                  write + file + " " + folder.file("empty"),
                                  "ping",
                                  "ping --count 0 " + file,
                                  "ping --interval x " + file,
                                  "ping --bs 1M " + file,
                                  "ping --direct --bs 100 " + file}) {
        CAPTURE(arguments);
        CHECK(status_of(arguments) == 2);
        CHECK(read_file(file) == before);
    }
    CHECK(status_of("bench /nonexistent/node") == 6);
    CHECK(status_of(write + file + " /nonexistent/node") == 6);
    CHECK(status_of("ping /nonexistent/node") == 6);
    CHECK(read_file(file) == before);
}

TEST_CASE("bench writes one document, its units in the keys")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f", 65536);
    const auto document = document_of(
        "bench --json --quiet --rw randrw --bs 512 --size 64k --backend libaio --iodepth 4 " +
        file);
    CHECK(document["schema"] == "scullpin-bench/1");
    CHECK(document["job"].dump() ==
          R"({"backend":"libaio","block_bytes":512,"direct":false,"fixedbufs":false,"iodepth":4,)"
          R"("iodepth_effective":4,"numjobs":1,"offset_bytes":0,"runtime_s":null,"rw":"randrw",)"
          R"("rwmixread_percent":50,"seed":1,"size_bytes":65536})");
    CHECK(document["overhead_ns_per_operation"].is_number());
    CHECK(document["aborted"] == false);
    REQUIRE(document["paths"].size() == 1);
    const auto& path = document["paths"][0];
    CHECK(keys(path) == std::vector<std::string>{"aborted", "kind", "path", "read", "seconds",
                                                 "span_bytes", "write"});
    CHECK((path["path"] == file && path["kind"] == "file" && path["span_bytes"] == 65536));
    std::uint64_t operations = 0;
    for (const char* name : {"read", "write"}) {
        const auto& side = path[name];
        CHECK(keys(side) == std::vector<std::string>{"bandwidth_bytes_per_s", "bytes", "clat_ns",
                                                     "errors", "iops_per_s", "lat_ns", "operations",
                                                     "ratio_to_first", "slat_ns"});
        operations += side["operations"].get<std::uint64_t>();
        CHECK(side["bytes"] == side["operations"].get<std::uint64_t>() * 512);
        const double seconds = path["seconds"];
        CHECK(side["iops_per_s"].get<double>() ==
              Catch::Approx(side["operations"].get<double>() / seconds));
        CHECK(side["bandwidth_bytes_per_s"].get<double>() ==
              Catch::Approx(side["bytes"].get<double>() / seconds));
        for (const char* kind : {"slat_ns", "clat_ns", "lat_ns"}) {
            const auto& latency = side[kind];
            CHECK(keys(latency) == std::vector<std::string>{"count", "max", "mean", "min", "p50",
                                                            "p90", "p99", "p99_9", "p99_99"});
            CHECK(latency["count"] == side["operations"]);
            std::vector<double> rising;
            for (const char* key : {"min", "p50", "p90", "p99", "p99_9", "p99_99", "max"})
                rising.push_back(latency[key]);
            CHECK(std::is_sorted(rising.begin(), rising.end()));
            CHECK((rising.front() > 0 && rising.back() < seconds * 1e9));
        }
        const double parts =
            side["slat_ns"]["mean"].get<double>() + side["clat_ns"]["mean"].get<double>();
        CHECK(side["lat_ns"]["mean"].get<double>() == Catch::Approx(parts).epsilon(1e-6));
    }
    CHECK(operations == 128);
}

TEST_CASE("bench runs every back end, and its text names what its document names")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f", 65536);
    for (const char* backend : {"sync", "vectored", "libaio", "io_uring", "mmap"}) {
        CAPTURE(backend);
        const auto result = run(std::string("$scullpin bench --size 64k --iodepth 2 --quiet ") +
                                "--color always --backend " + backend + " " + file);
        CHECK(result.status == 0);
        CHECK(result.output.find("read: 16 requests") != std::string::npos);
        CHECK(result.output.find("\033[1m" + file) != std::string::npos);
        for (const char* word : {backend, "IOPS", "clat", "p99.99", "own overhead", "ns per oper"})
            CHECK(result.output.find(word) != std::string::npos);
    }
    CHECK(status_of("bench --size 64k --backend io_uring --fixedbufs --numjobs 2 " + file) == 0);
}

TEST_CASE("several paths run in turn and are compared with the first")
{
    const temporary_folder folder;
    const auto a = random_file(folder, "a", 1 << 20), b = random_file(folder, "b", 1 << 20);
    const auto document = document_of("bench --json --quiet --size 1M " + a + " " + b);
    REQUIRE(document["paths"].size() == 2);
    const auto& first = document["paths"][0]["read"];
    const auto& second = document["paths"][1]["read"];
    CHECK(document["paths"][1]["path"] == b);
    for (const char* key : {"iops", "clat_p50", "clat_p99"})
        CHECK(first["ratio_to_first"][key] == 1.0);
    CHECK(second["ratio_to_first"]["iops"].get<double>() ==
          Catch::Approx(second["iops_per_s"].get<double>() / first["iops_per_s"].get<double>()));
    CHECK(second["ratio_to_first"]["clat_p99"].get<double>() ==
          Catch::Approx(second["clat_ns"]["p99"].get<double>() /
                        first["clat_ns"]["p99"].get<double>()));
    CHECK(document["paths"][1]["write"]["ratio_to_first"]["iops"].is_null());
    CHECK(
        run("$scullpin bench --quiet --size 1M " + a + " " + b).output.find("compared with " + a) !=
        std::string::npos);
}

TEST_CASE("requests that fail make exit 1, counted by the name of their error")
{
    const auto result = run("$scullpin bench --rw write --size 64k /dev/full 2>&1 >/dev/null");
    CHECK(result.status == 1);
    CHECK(result.output.find("16 write requests of /dev/full ended with ENOSPC") !=
          std::string::npos);
    CHECK(result.output.find("nothing ran on /dev/full") != std::string::npos);
    const auto document = json::parse(
        run("$scullpin bench --json --rw write --size 64k /dev/full 2>/dev/null").output);
    CHECK(document["paths"][0]["write"]["errors"] == json{{"ENOSPC", 16}});
    CHECK(document["paths"][0]["write"]["clat_ns"].is_null());
    // Zero bytes of what was asked: short, not done.
    const auto nothing = json::parse(
        run("$scullpin bench --json --rw read --size 64k /dev/null 2>/dev/null").output);
    CHECK(nothing["paths"][0]["read"]["errors"] == json{{"short", 16}});
    CHECK(nothing["paths"][0]["read"]["operations"] == 0);
}

TEST_CASE("an interrupted bench drains, and its document is complete")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f", 1 << 20);
    const auto signal = GENERATE(SIGINT, SIGTERM);
    const auto backend = GENERATE(as<std::string>{}, "sync", "libaio", "io_uring");
    CAPTURE(signal, backend);
    const auto result = interrupt(
        "bench --json --progress always --runtime 1h --iodepth 8 "
        "--numjobs 2 --backend " +
            backend + " " + file + " " + file,
        signal, 2, folder.file("out"));
    CHECK(result.status == 128 + signal);
    const auto document = json::parse(text_of(folder.file("out")));
    CHECK(document["aborted"] == true);
    REQUIRE(document["paths"].size() == 2);
    CHECK((document["paths"][0]["aborted"] == true && document["paths"][1]["aborted"] == true));
    CHECK(document["paths"][0]["seconds"].get<double>() < 600);
    const auto& reads = document["paths"][0]["read"];
    CHECK(reads["errors"].empty());
    if (reads["operations"] > 0) CHECK(reads["clat_ns"]["count"] == reads["operations"]);
    CHECK(document["paths"][1]["read"]["operations"] == 0);
}

TEST_CASE("bench shows how far it is on stderr, when that is wanted")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f", 1 << 20);
    const auto said = [&](const std::string& options) {
        return run("$scullpin bench --runtime 0.3 " + options + " " + file + " 2>&1 >/dev/null")
            .output;
    };
    CHECK(said("--progress always").find("s left") != std::string::npos);
    CHECK(said("--progress never").empty());
    CHECK(said("--progress always --quiet").empty());
    CHECK(said("--iodepth 8").find("--iodepth 8 is 1") != std::string::npos);
}

TEST_CASE("a plot is a picture of every path; without gnuplot its package is named first")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f & <g>", 1 << 20), picture = folder.file("out.svg");
    const auto options =
        " bench --quiet --rw randrw --size 1M --plot '" + picture + "' '" + file + "'";
    const auto before = read_file(file);
    const auto without = run("PATH=/nonexistent $scullpin" + options + " 2>&1");
    CHECK(without.status == 6);
    CHECK(without.output.find("gnuplot-nox") != std::string::npos);
    CHECK(read_file(file) == before);
    CHECK(!std::filesystem::exists(picture));
    if (run("command -v gnuplot").status != 0) SKIP("there is no gnuplot");
    CHECK(run("$scullpin" + options).status == 0);
    const auto svg = text_of(picture);
    CHECK(svg.starts_with("<?xml"));
    CHECK(svg.find("</svg>") != std::string::npos);
    CHECK(svg.find("f &amp; &lt;g> read") != std::string::npos);
    CHECK(svg.find("f &amp; &lt;g> write") != std::string::npos);
}

TEST_CASE("ping writes a line a request and a summary")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f", 65536);
    const auto result = run("$scullpin ping --interval 1ms --count 3 " + file + " 2>&1");
    CHECK(result.status == 0);
    std::istringstream lines(result.output);
    std::string line;
    for (int i = 1; i <= 3; i++) {
        REQUIRE(std::getline(lines, line));
        const auto start = "4 KiB from " + file + ": request=" + std::to_string(i) + " time=";
        CHECK(line.starts_with(start));
        CHECK(std::stod(line.substr(start.size())) > 0);
    }
    REQUIRE(std::getline(lines, line));
    CHECK(line == "--- " + file + ": 3 requests, 0 errors");
    REQUIRE(std::getline(lines, line));
    CHECK(line.starts_with("min/avg/max/mdev = "));
    CHECK(!std::getline(lines, line));
}

TEST_CASE("ping keeps its interval, by every back end, and its document sums up")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f", 65536);
    for (const char* backend : {"sync", "vectored", "libaio", "io_uring", "mmap"}) {
        CAPTURE(backend);
        const auto begun = std::chrono::steady_clock::now();
        const auto document =
            document_of(std::string("ping --json --interval 50ms --count 3 --bs 512 --backend ") +
                        backend + " " + file);
        CHECK(std::chrono::steady_clock::now() - begun >= std::chrono::milliseconds(100));
        CHECK(keys(document) == std::vector<std::string>{"aborted", "backend", "block_bytes",
                                                         "direct", "errors", "interval_s", "lat_ns",
                                                         "path", "requests", "schema"});
        CHECK(document["schema"] == "scullpin-ping/1");
        CHECK((document["requests"] == 3 && document["errors"] == 0 && !document["aborted"]));
        CHECK((document["block_bytes"] == 512 && document["interval_s"] == 0.05));
        const auto& lat = document["lat_ns"];
        CHECK((lat["min"] > 0 && lat["min"] <= lat["mean"] && lat["mean"] <= lat["max"]));
        CHECK((lat["mdev"] >= 0 && lat["mdev"].get<double>() <= lat["max"].get<double>()));
    }
}

TEST_CASE("an interrupted ping sums up what there was")
{
    const temporary_folder folder;
    const auto file = random_file(folder, "f", 65536);
    const auto result = interrupt("ping --interval 1h " + file, SIGINT, 1, folder.file("stderr"));
    CHECK(result.status == 130);
    CHECK(result.output.find("request=1 time=") != std::string::npos);
    CHECK(result.output.find("--- " + file + ": 1 requests, 0 errors\nmin/avg/max/mdev") !=
          std::string::npos);
}

TEST_CASE("a ping that is not answered exits 1 and says why")
{
    const auto result = run("$scullpin ping --count 2 --interval 1ms --size 4k /dev/null");
    CHECK(result.status == 1);
    CHECK(result.output.find("request=2 error=short") != std::string::npos);
    CHECK(result.output.find("2 requests, 2 errors\n") != std::string::npos);
}
