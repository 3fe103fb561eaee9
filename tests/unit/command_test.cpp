// SPDX-License-Identifier: MIT
// The command as a user meets it: exit codes, stdout, JSON.
#include <regex>

#include <catch_amalgamated.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "temporary.hpp"

TEST_CASE("the command tells its version, the one of the file VERSION")
{
    CHECK(run("--version").output == SCULLPIN_VERSION "\n");
}

TEST_CASE("wrong usage exits 2")
{
    for (const char* arguments :
         {"", "nonsense", "copy", "copy a", "copy a b --bs 1x", "copy a b --backend tape",
          "copy a b --iodepth 0", "copy a b --bs 0", "write a --bs 0", "info",
          "copy a b --backend 3", "bench /dev/zero --rw 0"}) {
        CAPTURE(arguments);
        CHECK(run(arguments).status == 2);
    }
}

TEST_CASE("a path that is not there exits 6")
{
    CHECK(run("info /nonexistent/node").status == 6);
    CHECK(run("copy /nonexistent/node /tmp/x").status == 6);
    // A missing node is no device; a file of its name would only seem to be one.
    CHECK(run("copy /bin/true /dev/scullpin-absent").status == 6);
    CHECK(run("copy /bin/true /dev/../dev/scullpin-absent").status == 6);
    CHECK(run("write --input /bin/true /dev/scullpin-absent").status == 6);
    CHECK(!std::filesystem::exists("/dev/scullpin-absent"));
}

TEST_CASE("a path through a file exits 6 as well")
{
    CHECK(run("info /bin/true/node").status == 6);
}

TEST_CASE("a named pipe, whose opening would wait for ever, is refused at once")
{
    const temporary_folder folder;
    const auto pipe = folder.file("pipe");
    REQUIRE(run_shell("mkfifo " + pipe).status == 0);
    for (const char* command : {"info", "ping --count 1", "bench --runtime 1", "stress --ops 1"}) {
        CAPTURE(command);
        const auto ended = run_shell("timeout 20 " SCULLPIN_COMMAND " " + std::string(command) +
                                     " " + pipe + " 2>&1");
        CHECK(ended.status == 2);
        CHECK_THAT(ended.output, Catch::Matchers::ContainsSubstring("is a pipe"));
    }
}

TEST_CASE("copy, verify, read and write agree on the bytes of a file")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(300001);
    const auto a = folder.file("a"), b = folder.file("b"), c = folder.file("c");
    write_file(a, bytes);
    write_file(b, random_bytes(400000, 2));
    CHECK(run("copy --backend io_uring --iodepth 8 --bs 16k " + a + " " + b).status == 0);
    CHECK(read_file(b) == bytes);
    CHECK(run("verify " + a + " " + b).status == 0);
    CHECK(run("read " + a + " > " + c).status == 0);
    CHECK(read_file(c) == bytes);
    CHECK(run("write " + b + " --offset 5 --size 7 --input " + c).status == 0);
    auto expected = bytes;
    std::copy_n(bytes.begin(), 7, expected.begin() + 5);
    CHECK(read_file(b) == expected);
    CHECK(run("verify " + a + " " + b).status == 3);
}

TEST_CASE("verify finds that one file is longer than the other")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(10000);
    write_file(folder.file("a"), bytes);
    write_file(folder.file("b"), {bytes.begin(), bytes.begin() + 9000});
    for (const auto* order : {"a b", "b a"}) {
        const std::string text = order;
        const auto paths = folder.file(text.substr(0, 1)) + " " + folder.file(text.substr(2));
        const auto result = run("verify --json " + paths);
        CHECK(result.status == 3);
        CHECK(nlohmann::json::parse(result.output)["mismatch_offset_bytes"] == 9000);
        CHECK(run("verify --size 9000 " + paths).status == 0);
    }
}

TEST_CASE("what is refused leaves the target as it was")
{
    const temporary_folder folder;
    const auto source = folder.file("source"), target = folder.file("target");
    const auto kept = random_bytes(30000, 2);
    write_file(source, random_bytes(20000));
    write_file(target, kept);
    const std::pair<std::string, int> cases[] = {
        {"copy --size 30000 " + source + " " + target, 1},  // more than the source has
        {"copy --offset 18446744073709551615 --size 1 " + source + " " + target, 2},
        {"copy --offset 9223372036854775807 --size 1 " + source + " " + target, 2},
        {"copy /proc/cpuinfo " + target, 2},          // says that it is empty
        {"copy --offset 2G /dev/null " + target, 2},  // no size
        {"copy " + target + " " + target, 2},
        {"copy --size 1k " + target + " " + folder.file("./target"), 2},
        {"read " + target + " --output " + target, 2},
        {"read /nonexistent --output " + target, 6},
        {"copy --backend io_uring --iodepth 4096 --bs 1000T " + source + " " + target, 1}};
    for (const auto& [arguments, status] : cases) {
        CAPTURE(arguments);
        CHECK(run(arguments).status == status);
        CHECK(read_file(target) == kept);
    }
}

TEST_CASE("a copy replaces a longer file, and cuts it only at the end")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(20000);
    for (const char* backend : {"sync", "vectored", "libaio", "io_uring", "mmap"}) {
        CAPTURE(backend);
        write_file(folder.file("source"), bytes);
        write_file(folder.file("target"), random_bytes(30000, 2));
        CHECK(run(std::string("copy --bs 4k --iodepth 4 --backend ") + backend + " " +
                  folder.file("source") + " " + folder.file("target"))
                  .status == 0);
        CHECK(read_file(folder.file("target")) == bytes);
        CHECK(run(std::string("copy --bs 4k --backend ") + backend + " " + folder.file("source") +
                  " " + folder.file("new") + backend)
                  .status == 0);
        CHECK(read_file(folder.file("new") + backend) == bytes);
        CHECK(run(std::string("read --bs 16k --backend ") + backend + " " + folder.file("source"))
                  .output ==
              std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    }
}

TEST_CASE("nodes that are not ours are described, written to and refused like any other")
{
    const temporary_folder folder;
    write_file(folder.file("a"), random_bytes(10000));
    CHECK(run("info /dev/null").status == 0);
    CHECK(nlohmann::json::parse(run("info --json /dev/null").output)["kind"] == "char");
    CHECK(run("copy " + folder.file("a") + " /dev/null").status == 0);
    CHECK(run("copy --backend mmap " + folder.file("a") + " /dev/null").status == 1);
    CHECK(run("write --input " + folder.file("a") + " /dev/full").status == 1);
    CHECK(run("info " + folder.file("a") + " > /dev/full").status == 1);
    CHECK(run("read " + folder.file("a") + " --output /dev/full").status == 1);
}

TEST_CASE("verify compares from an offset on")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(10000);
    auto shifted = random_bytes(14096, 3);
    std::copy(bytes.begin(), bytes.end(), shifted.begin() + 4096);
    write_file(folder.file("a"), bytes);
    write_file(folder.file("shifted"), shifted);
    CHECK(run("verify --offset 4096 " + folder.file("a") + " " + folder.file("shifted")).status ==
          0);
    shifted.push_back({});
    write_file(folder.file("shifted"), shifted);
    CHECK(run("verify --offset 4096 " + folder.file("a") + " " + folder.file("shifted")).status ==
          3);
}

TEST_CASE("a size of 0 moves nothing")
{
    const temporary_folder folder;
    write_file(folder.file("a"), random_bytes(10000));
    CHECK(run("copy --size 0 " + folder.file("a") + " " + folder.file("b")).status == 0);
    CHECK(read_file(folder.file("b")).empty());
    CHECK(run("read --size 0 " + folder.file("a")).output.empty());
}

TEST_CASE("the answer of copy is one JSON document with schema and units")
{
    const temporary_folder folder;
    write_file(folder.file("a"), random_bytes(10000));
    const auto result = run("copy --json --bs 4k " + folder.file("a") + " " + folder.file("b"));
    REQUIRE(result.status == 0);
    auto document = nlohmann::ordered_json::parse(result.output);
    CHECK(document["seconds"].is_number());
    document.erase("seconds");
    CHECK(document.dump() ==
          R"({"schema":"scullpin-copy/1","bytes":10000,"requests":3,"backend":"sync","iodepth":1,)"
          R"("block_bytes":4096,"direct":false,"aborted":false})");
}

TEST_CASE("stress tells in one document what it did, also when it is interrupted")
{
    const temporary_folder folder;
    write_file(folder.file("a"), random_bytes(64 << 10));
    const auto path = folder.file("a");
    const auto whole = run("stress --write --ops 500 --bs 8k --seed 9 --json " + path);
    CHECK(whole.status == 0);
    const auto document = nlohmann::json::parse(whole.output);
    CHECK((document["schema"] == "scullpin-stress/1" && document["seed"] == 9));
    CHECK((document["aborted"] == false && document["paths"][0]["completed"] == 500));
    // timeout sends SIGINT, once, and tells the command's own status.
    const auto cut =
        run("stress --help >/dev/null; timeout --foreground --preserve-status -s INT 1 " +
            std::string(SCULLPIN_COMMAND) + " stress --write --runtime 30 --json " + path);
    CHECK(cut.status == 130);
    const auto aborted = nlohmann::json::parse(cut.output);
    CHECK((aborted["aborted"] == true && aborted["paths"][0]["problems"].empty()));
    CHECK(aborted["paths"][0]["completed"] > 0);
}

TEST_CASE("the live line of stress tells of a problem")
{
    const temporary_folder folder;
    write_file(folder.file("a"), random_bytes(64 << 10));
    write_file(folder.file("b"), random_bytes(64 << 10));
    const auto change =
        "for i in 1 2 3 4 5 6 7 8 9; do sleep 0.2; printf $i | dd of=" + folder.file("a") +
        " conv=notrunc bs=1 seek=5000 2>/dev/null; done & ";
    const auto seen =
        run_shell(change + SCULLPIN_COMMAND " stress --numjobs 1 --runtime 3 --progress always " +
                  folder.file("a") + " " + folder.file("b") + " 2>&1 >/dev/null");
    CHECK(seen.status == 3);
    CHECK(seen.output.find(" 0 problem(s), ") != std::string::npos);
    CHECK(std::regex_search(seen.output, std::regex(" [1-9][0-9]* problem\\(s\\), ")));
}

TEST_CASE("stress says so when a thread cannot be made")
{
    const temporary_folder folder;
    write_file(folder.file("a"), random_bytes(1 << 20));
    // Enough address space for the memory of all workers, which is a gigabyte, but not for all
    // their stacks. Sanitizers need more for themselves.
    const std::string little = "ulimit -v 1500000; exec " SCULLPIN_COMMAND " ";
    if (run_shell(little + "--version 2>&1").status != 0)
        SKIP("the command does not start like that");
    const auto result =
        run_shell(little +
                  "stress --numjobs 256 --iodepth 1 --bs 512 --backend sync --memory base "
                  "--runtime 1 " +
                  folder.file("a") + " 2>&1");
    CHECK(result.status == 1);
    CHECK(result.output.find("start a thread") != std::string::npos);
}

TEST_CASE("the self-test of stress ends by Ctrl-C")
{
    // It takes a second at least: a lost request is waited for.
    const auto cut =
        run("stress --help >/dev/null; timeout --foreground --preserve-status -s INT 0.5 " +
            std::string(SCULLPIN_COMMAND) + " stress --self-test --json");
    CHECK(cut.status == 130);
    const auto document = nlohmann::json::parse(cut.output);
    CHECK((document["aborted"] == true && document["self_test"].size() < 11));
}

TEST_CASE("stress changes no path before all are open, and none by two names")
{
    const temporary_folder folder;
    const auto path = folder.file("a"), other = folder.file("b");
    const auto bytes = random_bytes(1 << 20);
    write_file(path, bytes);
    REQUIRE(
        run_shell("ln -s a " + folder.file("link") + " && ln " + path + " " + folder.file("name"))
            .status == 0);
    CHECK(run("stress --write --ops 10 " + path + " /nonexistent").status == 6);
    for (const auto& second : {folder.file("link"), folder.file("name"), folder.file("./a")})
        CHECK(run("stress --write --ops 10 " + path + " " + second).status == 2);
    for (const char* wrong : {"--offset 100", "--bs 1000"})
        CHECK(run("stress --write --ops 10 --size 4M " + std::string(wrong) + " " + path).status ==
              2);
    CHECK(run("stress --write --ops 10 --size 4M --backend mmap --direct " + path).status == 4);
    CHECK(read_file(path) == bytes);
    CHECK(run("stress --write --ops 10 --size 1M --bs 1000 " + other).status == 2);
    CHECK(!std::filesystem::exists(other));
}

TEST_CASE("what stress cannot do with a path is skipped, and said why")
{
    const auto ended = run_shell(SCULLPIN_COMMAND
                                 " stress --write --size 64k --operations discard /dev/zero 2>&1");
    CHECK(ended.status == 4);
    CHECK_THAT(ended.output, Catch::Matchers::ContainsSubstring("discard: "));
}

TEST_CASE("stress that is stopped while it fills the path finds nothing wrong")
{
    const temporary_folder folder;
    const auto path = folder.file("a");
    for (const char* when : {"0.02", "0.04", "0.06", "0.08", "0.12"}) {
        CAPTURE(when);
        const auto status =
            run_shell("timeout --foreground --preserve-status -s INT " + std::string(when) + " " +
                      SCULLPIN_COMMAND + " stress --write --bs 64k --size 64M --runtime 30 " +
                      path + " >/dev/null 2>&1")
                .status;
        // Also by the signal itself, before there was a handler.
        CHECK(status == 130);
    }
}

TEST_CASE("the command that stress tells for another run is one for the shell")
{
    const temporary_folder folder;
    const auto path = folder.file("it's a file");
    const auto first = nlohmann::json::parse(
        run("stress --write --size 64k --numjobs 1 --ops 20 --seed 5 --json \"" + path + "\"")
            .output);
    const auto again =
        run_shell("PATH=$(dirname " SCULLPIN_COMMAND "):$PATH; " +
                  first["paths"][0]["replay"].get<std::string>() + " --json 2>/dev/null");
    const auto second = nlohmann::json::parse(again.output);
    CHECK(first["paths"][0]["operations"] == second["paths"][0]["operations"]);
    CHECK(first["paths"][0]["replay"] == second["paths"][0]["replay"]);
}

TEST_CASE("stress refuses what makes no sense, and never writes unasked")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(64 << 10);
    write_file(folder.file("a"), bytes);
    const auto path = folder.file("a");
    for (const char* arguments :
         {"--runtime 1x", "--hostile rain", "--operations write", "--direct --mixed", "--bs 1000",
          "--size 1G", "--iodepth 0", "--backend tape"}) {
        CAPTURE(arguments);
        CHECK(run("stress --ops 10 " + std::string(arguments) + " " + path).status == 2);
    }
    CHECK(run("stress --ops 10").status == 2);
    CHECK(run("stress --ops 10 " + path + " " + path).status == 2);
    CHECK(run("stress --runtime 0 " + path).status == 2);
    CHECK(run("stress --ops -1 " + path).status == 2);
    CHECK(run("stress --ops 10 /nonexistent").status == 6);
    CHECK(run("stress --ops 100 " + path).status == 0);
    CHECK(read_file(path) == bytes);
}

TEST_CASE("info describes a file")
{
    const temporary_folder folder;
    write_file(folder.file("a"), random_bytes(1234));
    const auto document = nlohmann::json::parse(run("info --json " + folder.file("a")).output);
    CHECK(document["schema"] == "scullpin-info/1");
    CHECK(document["kind"] == "file");
    CHECK(document["size_bytes"] == 1234);
}
