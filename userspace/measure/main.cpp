// SPDX-License-Identifier: MIT
// What one I/O costs on a node or file: under QEMU's -icount a nanosecond is a guest instruction,
// and the answer is exact. Small and static, so that nothing but the system calls is measured.
#include <fcntl.h>

#include <iostream>
#include <map>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "round.hpp"
#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"

namespace {

using namespace scullpin;
using namespace scullpin::measure;

struct options {
    std::string name;
    std::string path;
    bool direct = false;
    bool empty = false;
    effort spent;
    std::uint64_t span = std::uint64_t{16} << 20;
    std::vector<std::string> cells;
};

constexpr std::size_t pool_size = std::size_t{32} << 20;

/// The pages of every kind, had when first asked for.
std::span<std::byte> memory_of(const cell& kind)
{
    static std::map<page_kind, page_pool> pools;
    const std::size_t size = kind.depth * kind.size;
    if (size > pool_size) throw usage_error(kind.name + ": more than 32 MiB of memory");
    return pools.try_emplace(kind.pages, kind.pages, pool_size).first->second.memory().first(size);
}

void measure_cell(const options& wanted, const cell& kind, int fd)
{
    const target on{fd, wanted.span, memory_of(kind)};
    const auto what = wanted.empty ? make_empty_loop(kind, on) : make_loop(kind, on);
    const auto cost = scullpin::measure::measure(*what, kind.depth, wanted.spent);
    const nlohmann::ordered_json line{{"target", wanted.name},      {"cell", kind.name},
                                      {"rounds", cost.nanoseconds}, {"agree", cost.agree},
                                      {"switches", cost.switches},  {"idle", cost.idle}};
    std::cout << line.dump() << std::endl;
}

int run(int argc, char** argv)
{
    options wanted;
    CLI::App app{"What one I/O costs, one JSON object a line", "scullpin-measure"};
    app.set_version_flag("--version", SCULLPIN_VERSION);
    app.add_option("--name", wanted.name, "of the target, in the answer")->required();
    app.add_option("--path", wanted.path, "the node or file")->required();
    app.add_flag("--direct", wanted.direct, "open it with O_DIRECT");
    app.add_flag("--empty", wanted.empty, "leave the I/O out: what the program itself costs");
    app.add_option("--rounds", wanted.spent.rounds, "this many must agree")
        ->check(CLI::Range(1, 100));
    app.add_option("--tolerance", wanted.spent.tolerance, "percent that rounds may differ by")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--round-ns", wanted.spent.round_ns, "about how long a round is")
        ->check(CLI::PositiveNumber);
    app.add_option("CELL", wanted.cells, "such as pread-4k, libaio-write-4k-qd32, pread-1m-thp")
        ->required();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    std::vector<cell> cells;
    for (const auto& name : wanted.cells) cells.push_back(parse_cell(name));
    const auto fd = file_descriptor::open(wanted.path, O_RDWR | (wanted.direct ? O_DIRECT : 0));
    for (const auto& kind : cells) measure_cell(wanted, kind, fd.get());
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc, argv);
    } catch (const usage_error& error) {
        std::cerr << "scullpin-measure: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "scullpin-measure: " << error.what() << '\n';
        return 1;
    }
}
