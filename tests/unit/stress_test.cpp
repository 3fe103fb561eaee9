// SPDX-License-Identifier: MIT
// The stress tester on files: what is well passes, what is planted is named, what is refused is
// left as it was.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <set>
#include <thread>

#include <catch_amalgamated.hpp>

#include "stress/hostile.hpp"
#include "stress/plan.hpp"
#include "stress/run.hpp"
#include "scullpin/aligned_buffer.hpp"
#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"
#include "temporary.hpp"

using namespace scullpin;
using namespace scullpin::stress;

namespace {

settings quick(const std::string& path)
{
    settings wanted;
    wanted.path = path;
    wanted.write = true;
    wanted.size = 256 << 10;
    wanted.most_bytes = 16 << 10;
    wanted.ops = 2000;
    wanted.depth = 4;
    return wanted;
}

std::string kind_of(const outcome& one)
{
    return one.problems.empty() ? "" : one.problems.front().kind;
}

bool can_be_direct(const std::string& path)
{
    return static_cast<bool>(file_descriptor(::open(path.c_str(), O_RDONLY | O_DIRECT)));
}

abilities everything()
{
    abilities can;
    can.acts = {act::read, act::write, act::sync, act::discard};
    for (const auto kind : all_backend_kinds()) can.ways.push_back({kind, false});
    can.ways.push_back({backend_kind::io_uring, true});
    can.memory = {memory_kind::base, memory_kind::fixed};
    can.blocks = 1000;
    can.most_blocks = 256;
    can.address_unit = 4;
    return can;
}

profile any_profile()
{
    return GENERATE(profile::random, profile::sequential, profile::hot, profile::small,
                    profile::large);
}

}  // namespace

TEST_CASE("a file under requests of every kind has no problem, and all of them ended")
{
    const temporary_folder folder;
    write_file(folder.file("f"), {});
    auto wanted = quick(folder.file("f"));
    wanted.how = any_profile();
    CAPTURE(to_string(wanted.how));
    const auto all = run(wanted);
    CHECK(kind_of(all) == "");
    CHECK((all.did.submitted == 2000 && all.did.completed == 2000));
    CHECK((all.did.blocks_verified > 500 && all.did.bytes_written > 0));
    for (const auto* way : {"sync", "vectored", "libaio", "io_uring", "mmap"})
        CHECK(all.did.by_way.count(way) == 1);
}

TEST_CASE("a file under hostile events has no problem")
{
    const temporary_folder folder;
    write_file(folder.file("f"), {});
    auto wanted = quick(folder.file("f"));
    wanted.hostile = {event::fork,    event::unmap,   event::cancel, event::kill,
                      event::pageout, event::signals, event::memcg};
    wanted.ops.reset();
    wanted.runtime = std::chrono::milliseconds(400);
    // However slow the machine is: until every kind of event has done something, but for those that
    // a file or a machine cannot promise.
    std::set<std::string> missing{"fork", "kill", "pageout", "signals"};
    wanted.direct = GENERATE(false, true);
    if (wanted.direct && !can_be_direct(wanted.path)) SKIP("no direct I/O on a file here");
    if (wanted.direct) missing.insert("unmap");
    for (int run_number = 0; run_number < 60 && !missing.empty(); run_number++) {
        wanted.seed++;
        const auto all = run(wanted);
        INFO((all.problems.empty() ? "" : all.problems.front().text));
        REQUIRE(kind_of(all) == "");
        CHECK(all.did.completed == all.did.submitted);
        for (const auto& [name, count] : all.hostile)
            if (count > 0) missing.erase(name);
        CHECK(all.hostile.count("cancel") == 1);
    }
    CHECK(missing == std::set<std::string>{});
}

TEST_CASE("a hostile event that cannot happen is left out with its reason, and never counted")
{
    const temporary_folder folder;
    write_file(folder.file("f"), random_bytes(256 << 10));
    auto wanted = quick(folder.file("f"));
    wanted.ops.reset();
    wanted.runtime = std::chrono::milliseconds(200);
    wanted.hostile = {event::kill, event::memcg, event::unmap, event::cancel};
    const auto reasons = [&] {
        const auto all = run(wanted);
        CHECK(kind_of(all) == "");
        std::map<std::string, std::string> left_out;
        for (const auto what : wanted.hostile)
            for (const auto& one : all.left_out)
                if (one.what == to_string(what)) left_out[one.what] = one.reason;
        for (const auto& [name, reason] : left_out) CHECK(all.hostile.count(name) == 0);
        return left_out;
    };

    wanted.write = false;
    wanted.backends = {backend_kind::libaio};
    auto left_out = reasons();
    for (const auto* name : {"kill", "memcg"})
        CHECK(left_out[name] == "without --write its children have no blocks of their own");

    wanted.write = true;
    wanted.size = 4 << 10;
    wanted.most_bytes = 4 << 10;
    left_out = reasons();
    for (const auto* name : {"kill", "memcg"})
        CHECK(left_out[name] == "its children need at least one of 16 blocks");

    wanted.backends = {backend_kind::sync, backend_kind::vectored, backend_kind::mmap};
    left_out = reasons();
    for (const auto what : wanted.hostile)
        CHECK(left_out[to_string(what)] == "no back end is asynchronous");
}

TEST_CASE("each corruption that is planted is found and named")
{
    const temporary_folder folder;
    // With some of them, a write comes soon after a planted one, and covers it up.
    const std::uint64_t seed = GENERATE(2, 3, 19);
    CAPTURE(seed);
    const auto rows = self_test(folder.file("."), seed);
    CHECK(rows.size() == 11);
    for (const auto& row : rows) CHECK(row.planted == row.found);
}

TEST_CASE("a short result is accepted only where an event explains it")
{
    const auto cut = [](backend_kind how, bool cancel, std::int64_t result, bool signals) {
        choice step;
        step.by.how = how;
        step.cancel = cancel;
        return may_be_cut(step, result, signals);
    };
    for (const auto how : {backend_kind::libaio, backend_kind::io_uring}) {
        for (const std::int64_t result : {-ECANCELED, -EINTR, 512}) {
            CHECK(cut(how, true, result, false));
            CHECK(!cut(how, false, result, true));
        }
        CHECK((!cut(how, true, -EIO, true) && !cut(how, true, 0, true)));
    }
    for (const auto how : {backend_kind::sync, backend_kind::vectored}) {
        CHECK((cut(how, false, 512, true) && !cut(how, true, 512, false)));
        CHECK((!cut(how, false, -EINTR, true) && !cut(how, true, -ECANCELED, true)));
    }
    CHECK(!cut(backend_kind::mmap, true, 512, true));
}

TEST_CASE("a short result under hostile events is told all the same when they did not reach it")
{
    const temporary_folder folder;
    write_file(folder.file("f"), {});
    auto wanted = quick(folder.file("f"));
    wanted.hostile = {event::cancel, event::signals};
    wanted.backends = {backend_kind::io_uring};
    wanted.plant = fault::cut;
    CHECK(kind_of(run(wanted)) == "short");
    // A signal may have made it short, but then its memory ends there.
    wanted.backends = {backend_kind::sync};
    CHECK(kind_of(run(wanted)) == "");
    wanted.plant = fault::spilled;
    CHECK(kind_of(run(wanted)) == "overrun");
}

TEST_CASE("a process that is going to be killed writes whole blocks, by libaio and by io_uring")
{
    const temporary_folder folder;
    write_file(folder.file("f"), {});
    const auto file = file_descriptor::open(folder.file("f"), O_RDWR);
    const aligned_buffer memory(victim_depth * 64 * 512);
    victim what;
    what.by.how = GENERATE(backend_kind::libaio, backend_kind::io_uring);
    CAPTURE(to_string(what.by.how));
    what.blocks = GENERATE(1, 3, 100);
    what.most_blocks = 64;
    what.fd = file.get();
    what.home = {.device = 1, .offset = 4096, .generation = 7, .length = 512};
    what.memory = memory.span();
    what.sequence = 5;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const file_descriptor hear(ends[0]), say(ends[1]);
    what.begun_fd = say.get();
    const pid_t child = start(what);
    REQUIRE(child > 0);
    char byte = 0;
    REQUIRE(::read(hear.get(), &byte, 1) == 1);
    // Until a later round has been there.
    std::optional<identity> who;
    for (int tries = 0; tries < 20000 && !(who && who->sequence > 5); tries++) {
        std::vector<std::byte> block(512);
        static_cast<void>(::pread(file.get(), block.data(), 512, 4096));
        who = read_header(block);
        ::usleep(500);
    }
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    REQUIRE(who);
    CHECK((who->offset == 4096 && who->generation == 7 && who->sequence > 5));
    CHECK(::lseek(file.get(), 0, SEEK_END) <= 4096 + 512 * static_cast<off_t>(what.blocks));
}

TEST_CASE("processes that are killed use direct asynchronous ways, where there are any")
{
    auto can = everything();
    can.ways = {
        {backend_kind::sync, true}, {backend_kind::libaio, false}, {backend_kind::io_uring, false}};
    CHECK(victim_ways(can) ==
          std::vector<way>{{backend_kind::libaio, false}, {backend_kind::io_uring, false}});
    can.ways.push_back({backend_kind::libaio, true});
    can.ways.push_back({backend_kind::io_uring, true});
    CHECK(victim_ways(can) ==
          std::vector<way>{{backend_kind::libaio, true}, {backend_kind::io_uring, true}});
}

TEST_CASE("a cgroup for memory is only made where a cgroup2 is mounted, and nothing is left of it")
{
    const temporary_folder folder;
    CHECK_THROWS_AS(memory_group(folder.file("."), 1 << 20), std::system_error);
    CHECK(std::filesystem::is_empty(folder.file(".")));
    write_file(folder.file("cgroup.subtree_control"), {});
    CHECK_THROWS_AS(memory_group(folder.file("."), 1 << 20), std::system_error);
    CHECK(read_file(folder.file("cgroup.subtree_control")).empty());
}

TEST_CASE("two cgroups for memory are two, and what was switched on for them is switched off")
{
    const std::string root = "/sys/fs/cgroup", control = root + "/cgroup.subtree_control";
    const auto before = read_file(control);
    std::optional<memory_group> one;
    try {
        one.emplace(root, 16 << 20);
    } catch (const std::system_error& error) {
        CHECK(read_file(control) == before);
        SKIP("there is no cgroup to be had: " << error.what());
    }
    {
        const memory_group two(root, 16 << 20);
        CHECK(one->path() != two.path());
        CHECK((std::filesystem::exists(one->path()) && std::filesystem::exists(two.path())));
    }
    CHECK(std::filesystem::exists(one->path() + "/memory.high"));
    CHECK(one->shortages() == 0);
    const auto path = one->path();
    one.reset();
    CHECK(!std::filesystem::exists(path));
    CHECK(read_file(control) == before);
}

TEST_CASE("what killed processes leave wrong is named, with the request and the bytes")
{
    const temporary_folder folder;
    write_file(folder.file("f"), {});
    auto wanted = quick(folder.file("f"));
    wanted.hostile = {event::kill};
    const auto judge = [&](const std::function<void(int fd, off_t block)>& spoil) {
        target on(wanted);
        on.fill();
        verify_wild(on);
        CHECK(on.problems() == 0);
        const auto block = on.offset_of(on.wild().first + 3);
        spoil(file_descriptor::open(wanted.path, O_RDWR).get(), static_cast<off_t>(block));
        verify_wild(on);
        const auto all = on.result();
        REQUIRE(all.problems.size() == 1);
        const auto& what = all.problems.front();
        CHECK((what.offset == block && what.during.offset == block && what.during.length == 512));
        CHECK(what.what.expected.size() == 512);
        CHECK(what.what.found.size() == 512);
        return what;
    };
    const auto fill_with = [](char value) {
        return [value](int fd, off_t block) {
            const std::string bytes(200, value);
            if (::pwrite(fd, bytes.data(), bytes.size(), block + 312) != 200) std::abort();
        };
    };
    CHECK(judge(fill_with(0)).kind == "zeros");
    CHECK(judge(fill_with('\xaa')).kind == "poison");
    CHECK(judge(fill_with('x')).kind == "torn");
    CHECK(judge(fill_with('x')).what.at >= 312);
    CHECK(judge([](int fd, off_t block) {
              if (::ftruncate(fd, block + 100) != 0) std::abort();
          }).kind == "short");
}

TEST_CASE("a self-test that is stopped says only what was planted until then")
{
    const temporary_folder folder;
    const std::atomic<bool> stop = true;
    CHECK(self_test(folder.file("."), 1, &stop).empty());
}

TEST_CASE("who looks at a run sees the problem that ends it")
{
    const temporary_folder folder;
    write_file(folder.file("f"), {});
    auto wanted = quick(folder.file("f"));
    wanted.plant = fault::zeros;
    state last;
    const auto all = run(wanted, [&](const state& now) { last = now; });
    CHECK(!all.problems.empty());
    CHECK(last.problems == all.problems.size());
}

TEST_CASE("a block that is changed behind the tester's back is named, with its bytes")
{
    const temporary_folder folder;
    write_file(folder.file("f"), {});
    auto wanted = quick(folder.file("f"));
    wanted.acts = {act::read};
    wanted.ops.reset();
    wanted.runtime = std::chrono::seconds(20);
    const auto file = file_descriptor::open(wanted.path, O_RDWR);
    std::thread enemy([&] {
        // When the last block has its first bytes, all have.
        std::uint64_t last = 0;
        while (::pread(file.get(), &last, 8, (256 << 10) - 512) != 8 || last == 0) ::usleep(1000);
        ::usleep(100'000);
        if (::pwrite(file.get(), "junk", 4, 100 * 512 + 300) != 4) std::abort();
    });
    const auto all = run(wanted);
    enemy.join();
    REQUIRE(!all.problems.empty());
    const auto& what = all.problems.front();
    CHECK((what.kind == "foreign" && what.offset == 100 * 512 && what.what.at == 300));
    CHECK(what.what.expected.size() == 512);
    CHECK(what.during.length > 0);
}

TEST_CASE("without --write nothing is written, and a change is seen")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(64 << 10);
    write_file(folder.file("f"), bytes);
    auto wanted = quick(folder.file("f"));
    wanted.write = false;
    wanted.size.reset();
    CHECK(kind_of(run(wanted)) == "");
    CHECK(read_file(folder.file("f")) == bytes);
    wanted.ops.reset();
    wanted.runtime = std::chrono::seconds(20);
    std::thread enemy([&] {
        const auto file = file_descriptor::open(wanted.path, O_RDWR);
        for (char value = 0; value < 100; value++) {
            ::usleep(10'000);
            if (::pwrite(file.get(), &value, 1, 5000) != 1) std::abort();
        }
    });
    const auto all = run(wanted);
    enemy.join();
    CHECK(kind_of(all) == "changed");
    CHECK(all.seconds < 20);
}

TEST_CASE("a path that another process has open is not written to")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(64 << 10);
    write_file(folder.file("f"), bytes);
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const int fd = ::open(folder.file("f").c_str(), O_RDONLY);
        ::_exit(::write(ready[1], "x", 1) == 1 && fd >= 0 ? ::pause() : 1);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    CHECK_THROWS_AS(run(quick(folder.file("f"))), open_error);
    CHECK(read_file(folder.file("f")) == bytes);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    CHECK(kind_of(run(quick(folder.file("f")))) == "");
}

TEST_CASE("a call that does not return is lost, and the run ends without it")
{
    const temporary_folder folder;
    auto wanted = quick(folder.file("f"));
    wanted.create = true;
    wanted.ops.reset();
    wanted.runtime = std::chrono::seconds(30);
    wanted.deadline = std::chrono::seconds(1);
    wanted.backends = {backend_kind::sync};
    wanted.plant = fault::stuck;
    const auto one = run(wanted);
    CHECK(kind_of(one) == "lost");
    CHECK(one.lost);
    CHECK(one.seconds < 10);
    CHECK_THAT(one.problems.front().text, Catch::Matchers::ContainsSubstring("not returned"));
}

TEST_CASE("settings that do not fit the path are refused before anything is written")
{
    const temporary_folder folder;
    const auto bytes = random_bytes(64 << 10);
    write_file(folder.file("f"), bytes);
    const auto refused = [&](const std::function<void(settings&)>& change) {
        auto wanted = quick(folder.file("f"));
        wanted.size.reset();
        change(wanted);
        CHECK_THROWS_AS(run(wanted), usage_error);
        CHECK(read_file(folder.file("f")) == bytes);
    };
    refused([](settings& wanted) { wanted.offset = 100; });
    refused([](settings& wanted) { wanted.most_bytes = 1000; });
    refused([](settings& wanted) { wanted.offset = 1 << 20; });
    refused([](settings& wanted) {
        wanted.acts = {act::write};
        wanted.write = false;
    });
    refused([](settings& wanted) { wanted.path = "/dev/null"; });
}

TEST_CASE("a seed makes the same choices again, and another one others")
{
    const auto can = everything();
    settings wanted;
    const auto choices = [&](std::uint64_t seed, unsigned worker) {
        wanted.seed = seed;
        plan steps(wanted, can, worker);
        std::vector<std::size_t> all;
        for (int i = 0; i < 500; i++) {
            const auto step = steps.next();
            all.insert(all.end(), {static_cast<std::size_t>(step.what), step.where.first,
                                   step.where.count, step.shift, step.pieces.size()});
        }
        return all;
    };
    CHECK(choices(1, 0) == choices(1, 0));
    CHECK(choices(1, 0) != choices(2, 0));
    CHECK(choices(1, 0) != choices(1, 1));
}

TEST_CASE("every choice fits the device")
{
    const auto can = everything();
    settings wanted;
    wanted.how = any_profile();
    plan steps(wanted, can, 1);
    for (int i = 0; i < 5000; i++) {
        const auto step = steps.next();
        REQUIRE((step.where.count >= 1 && step.where.count <= can.most_blocks));
        REQUIRE(step.where.first + step.where.count <= can.blocks);
        const std::size_t unit = step.by.direct ? can.address_unit : 1;
        REQUIRE(step.shift % unit == 0);
        std::size_t sum = 0;
        for (const auto piece : step.pieces) {
            REQUIRE((piece > 0 && piece % unit == 0));
            sum += piece;
        }
        REQUIRE((step.pieces.empty() || sum == step.where.count * can.block_bytes));
    }
}
