// SPDX-License-Identifier: MIT
// What each command prints, as text and as JSON, compared with tests/golden/NAME.{txt,json}.
//
// A new command needs one row in `rows`, the keys of its volatile values in `masks`, and a run with
// SCULLPIN_UPDATE_GOLDENS=1, which writes the files: that is also how they follow a change that was
// meant. Keys of a document are only ever added; an update refuses to forget one.
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <catch_amalgamated.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "temporary.hpp"

namespace {

using json = nlohmann::ordered_json;

constexpr int any_status = -1;

struct row {
    std::string name;       ///< of the files
    std::string arguments;  ///< DIR is a folder with the files a and b, of 10000 bytes
    int status = 0;
    std::string device = {};  ///< the one scullpin device there seems to be, `none` for no device;
                              ///< empty: those of this machine, which the command does not look at
};

const std::vector<row> rows{
    {"list", "list", 0, "scullpin0"},
    {"list-none", "list", 6, "none"},
    {"create-none", "create fast --size 1M", 6, "none"},
    {"set", "set scullpin0 latency_us=5 completion=deferred", 0, "scullpin0"},
    {"remove-none", "remove fast", 6, "none"},
    {"info", "info DIR/a"},
    {"info-node", "info /dev/null", 0, "null"},
    {"read", "read --bs 4k --output DIR/out DIR/a"},
    {"write", "write --bs 4k --input DIR/a DIR/out"},
    {"copy", "copy --backend libaio --iodepth 2 --bs 4k DIR/a DIR/out"},
    {"verify", "verify --bs 4k DIR/a DIR/a"},
    {"verify-differs", "verify --bs 4k DIR/a DIR/b", 3},
    {"doctor", "doctor", any_status},
    {"bench", "bench --rw read --bs 4k --size 8k --seed 1 DIR/a"},
    {"stat", "stat", 0, "scullpin0"},
    {"stat-watch", "stat --watch 20ms --count 2 scullpin0", 0, "scullpin0"},
    {"trace", "trace --input " SCULLPIN_GOLDEN "/trace.events"},
    {"modes", "modes --bsrange 4k --size 8k --iodepth 1 DIR/a"},
    {"ping", "ping --count 2 --interval 1ms DIR/a"},
    {"overlap", "overlap --bs 4k --size 8k --rounds 1 --compute 1ms DIR/a"},
    {"stress",
     "stress --write --ops 200 --bs 4k --size 8k --numjobs 1 --iodepth 1 --backend sync "
     "--memory base --operations read,write --seed 1 DIR/a"},
    {"stress-self-test", "stress --self-test"},
};

/// Values that differ from run to run or from machine to machine, by key.
const std::map<std::string, std::string> masks{
    {"seconds", "NUMBER"},
    {"logical_block_bytes", "NUMBER"},
    {"dma_alignment_bytes", "NUMBER"},
    {"required_missing", "NUMBER"},
    {"overhead_ns_per_operation", "NUMBER"},
    {"iops_per_s", "NUMBER"},
    {"bandwidth_bytes_per_s", "NUMBER"},
    {"latency_ns", "NUMBER"},
    {"throughput_bytes_per_s", "NUMBER"},
    {"latency_bytes", "NUMBER or null"},
    {"throughput_bytes", "NUMBER or null"},
    {"min", "NUMBER"},
    {"mean", "NUMBER"},
    {"mdev", "NUMBER"},
    {"p50", "NUMBER"},
    {"p90", "NUMBER"},
    {"p99", "NUMBER"},
    {"p99_9", "NUMBER"},
    {"p99_99", "NUMBER"},
    {"max", "NUMBER"},
    {"io_ns", "NUMBER"},
    {"computation_ns", "NUMBER"},
    {"both_ns", "NUMBER"},
    {"ideal_ns", "NUMBER"},
    {"overlap_percent", "NUMBER"},
    {"cached_before_bytes", "NUMBER"},
    {"replay", "TEXT"},
    {"state", "TEXT"},
    {"detail", "TEXT"},
    {"mend", "TEXT or null"},
};

bool updating()
{
    return std::getenv("SCULLPIN_UPDATE_GOLDENS") != nullptr;
}

bool fits(const json& value, const std::string& mask)
{
    if (value.is_null()) return mask.ends_with(" or null");
    return mask.starts_with("NUMBER") ? value.is_number() : value.is_string();
}

/// The document without what is volatile; a value of the wrong type stays, and is seen.
json normal(json document, const std::string& folder)
{
    if (document.is_string() && document.get<std::string>().starts_with(folder))
        return "DIR" + document.get<std::string>().substr(folder.size());
    if (!document.is_structured()) return document;
    for (auto& [key, value] : document.items()) {
        const auto mask = masks.find(key);
        value = mask != masks.end() && fits(value, mask->second) ? json(mask->second)
                                                                 : normal(value, folder);
    }
    return document;
}

std::string replaced(std::string text, const std::string& what, const std::string& with)
{
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
        text.replace(at, what.size(), with);
    return text;
}

/// A line of text without what is volatile; nothing for one that may be there or not.
std::string normal_line(std::string line)
{
    static const std::regex rate(R"([0-9.]+ s, [0-9.]+ ([KMGT]i)?B/s)");
    static const std::regex setting(R"(^([a-z_]+): [0-9]+$)");
    static const std::regex found(R"(^(ok|missing|broken) +([a-z_]+) .+$)");
    static const std::regex missing(R"(^required and missing: [0-9]+$)");
    static const std::regex duration(R"( in [0-9.]+ s,)");
    static const std::regex iops(R"([0-9]+ IOPS, [0-9.]+ ([KMGT]i)?B/s)");
    static const std::regex time(R"([ =]+[0-9.]+ [num]?s\b[*]?)");
    static const std::regex percent(R"( +-?[0-9]+ %$)");
    // The best of a row is marked.
    static const std::regex speed(R"( +[0-9.]+ ([KMGT]i)?B/s[* ]?)");
    static const std::regex since(R"(never|from [0-9]+ ([KM]i)?B)");
    static const std::regex row_end(R"( +[0-9]+\.[0-9]{2}$)");
    if (line.starts_with("         mend:     ")) return {};
    line.erase(line.find_last_not_of("* ") + 1);
    if (line.ends_with(" that stayed in the page cache")) return {};  // tmpfs is its own
    line = std::regex_replace(line, duration, " in SECONDS s,");
    line = std::regex_replace(line, percent, " PERCENT");
    line = std::regex_replace(line, row_end, " SECONDS");
    std::smatch match;
    if (std::regex_match(line, match, setting) && masks.contains(match[1]))
        return match[1].str() + ": NUMBER\n";
    line = std::regex_replace(line, rate, "SECONDS s, RATE");
    line = std::regex_replace(line, iops, "IOPS, RATE");
    line = std::regex_replace(line, time, " TIME");
    line = std::regex_replace(line, speed, " RATE");
    if (line.find(" is no worse than cached: ") != std::string::npos)
        line = std::regex_replace(line, since, "SIZE or never");
    line = std::regex_replace(line, found, "STATE $2 DETAIL");
    return std::regex_replace(line, missing, "required and missing: NUMBER") + "\n";
}

std::string normal_text(const std::string& text, const std::string& folder)
{
    std::istringstream lines(replaced(text, folder, "DIR"));
    std::string result;
    for (std::string line; std::getline(lines, line);) result += normal_line(line);
    return result;
}

/// Every key as a path; elements of an array count as one.
void collect_keys(const json& document, const std::string& path, std::set<std::string>& keys)
{
    if (!document.is_structured()) return;
    for (const auto& [key, value] : document.items()) {
        const auto below = path + "/" + (document.is_array() ? "*" : key);
        keys.insert(below);
        collect_keys(value, below, keys);
    }
}

std::vector<std::string> vanished_keys(const json& before, const json& now)
{
    std::set<std::string> old_keys, new_keys;
    collect_keys(before, "", old_keys);
    collect_keys(now, "", new_keys);
    std::vector<std::string> vanished;
    std::set_difference(old_keys.begin(), old_keys.end(), new_keys.begin(), new_keys.end(),
                        std::back_inserter(vanished));
    return vanished;
}

/// The line of the licence belongs to the file, not to the answer.
constexpr const char* text_licence = "# SPDX-License-Identifier: MIT\n";
constexpr const char* json_licence = "SPDX-License-Identifier: MIT";

std::optional<std::string> stored(const std::string& name)
{
    std::ifstream file(std::string(SCULLPIN_GOLDEN "/") + name);
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

void store(const std::string& name, const std::string& text)
{
    std::ofstream file(std::string(SCULLPIN_GOLDEN "/") + name);
    file << text;
    REQUIRE(file.flush());
}

void compare_text(const std::string& name, const std::string& text)
{
    const auto now = text_licence + text;
    if (updating()) return store(name + ".txt", now);
    const auto golden = stored(name + ".txt");
    REQUIRE(golden.has_value());
    CHECK(now == *golden);
}

void compare_json(const std::string& name, const json& document)
{
    json now{{"licence", json_licence}};
    now.update(document);
    const auto golden = stored(name + ".json");
    if (golden) {
        const auto vanished = vanished_keys(json::parse(*golden), now);
        for (const auto& key : vanished) FAIL_CHECK("the key " << key << " vanished");
        if (!vanished.empty()) return;
    }
    if (updating()) return store(name + ".json", now.dump(2) + "\n");
    REQUIRE(golden.has_value());
    CHECK(now.dump(2) + "\n" == *golden);
}

/// /sys/class with one device, or with none.
void write_class(const std::string& folder, const std::string& device)
{
    const std::pair<const char*, const char*> files[] = {
        {"size", "1073741824"},
        {"logical_block_size", "512"},
        {"dma_alignment", "4"},
        {"engine", "cpu"},
        {"completion", "auto"},
        {"latency_us", "0"},
        {"bandwidth", "0"},
        {"max_pinned", "67108864"},
        {"unaligned", "refuse"},
        {"deadline_ms", "10000"},
        {"stats/in_flight", "0"},
        {"stats/pages_pinned", "24"},
        {"stats/bytes_read", "7"},
        {"stats/pages_released", "24"},
        {"stats/requests_completed", "9"},
        {"refused/bad_address", "2"},
        {"refused/no_memory", "0"},
        {"latency/read", "96 3\n98304 1"},
        {"latency/write", ""},
    };
    std::filesystem::create_directories(folder);
    if (device == "none") return;
    const auto place = std::filesystem::path(folder) / "scullpin" / device;
    for (const char* group : {"stats", "refused", "latency"})
        std::filesystem::create_directories(place / group);
    for (const auto& [name, value] : files) std::ofstream(place / name) << value << '\n';
}

/// Begins a command for which that folder is /sys/class, in a name space of its own; there is no
/// configfs.
std::string with_class(const std::string& folder)
{
    return std::string("unshare ") + (::geteuid() == 0 ? "-m" : "-rm") +
           " sh -c 'mount --bind \"$0\" /sys/class && mount --bind \"$0\" /sys/kernel && exec "
           "\"$@\"' " +
           folder + " ";
}

outcome answer(const row& which, const temporary_folder& folder, const std::string& more)
{
    const auto arguments = replaced(which.arguments, "DIR", folder.file(""));
    const auto command =
        SCULLPIN_COMMAND " " + replaced(arguments, "//", "/") + more + " 2>/dev/null";
    if (which.device.empty()) return run_shell(command);
    write_class(folder.file(which.device), which.device);
    return run_shell(with_class(folder.file(which.device)) + command);
}

void compare(const row& which)
{
    CAPTURE(which.name, which.arguments);
    const temporary_folder folder;
    write_file(folder.file("a"), random_bytes(10000));
    write_file(folder.file("b"), random_bytes(10000, 2));
    const auto path = folder.file("").substr(0, folder.file("").size() - 1);
    const auto text = answer(which, folder, "");
    const auto document = answer(which, folder, " --json");
    CHECK(text.status == document.status);
    if (which.status != any_status) CHECK(text.status == which.status);
    compare_text(which.name, normal_text(text.output, path));
    const auto parsed = json::parse(document.output);
    const auto command = which.arguments.substr(0, which.arguments.find(' '));
    CHECK(parsed.at("schema") == "scullpin-" + command + "/1");
    compare_json(which.name, normal(parsed, path));
}

}  // namespace

TEST_CASE("every command answers as its golden says, as text and as JSON")
{
    for (const auto& which : rows)
        if (which.device.empty()) compare(which);
    if (updating()) SKIP("the goldens were written, not compared");
}

TEST_CASE("the answers about a scullpin device are those of their goldens")
{
    const temporary_folder folder;
    write_class(folder.file("class"), "none");
    if (run_shell(with_class(folder.file("class")) + "true 2>/dev/null").status != 0)
        SKIP("this user may not mount in a name space of its own");
    for (const auto& which : rows)
        if (!which.device.empty()) compare(which);
    if (updating()) SKIP("the goldens were written, not compared");
}

TEST_CASE("every command that has --json has a golden")
{
    for (const auto& command : all_commands()) {
        CAPTURE(command);
        const auto options = long_options(command);
        if (std::find(options.begin(), options.end(), "--json") == options.end()) continue;
        const bool has_row = std::any_of(rows.begin(), rows.end(), [&command](const row& which) {
            return which.arguments.substr(0, which.arguments.find(' ')) == command;
        });
        CHECK(has_row);
    }
}

TEST_CASE("a key that vanishes from a document is named")
{
    const auto before = json::parse(R"({"a": 1, "list": [{"b": 1, "c": 2}], "d": {"e": 1}})");
    CHECK(vanished_keys(before, before).empty());
    auto now = before;
    now["list"][0].erase("c");
    now["d"] = 1;
    now["new"] = 1;
    CHECK(vanished_keys(before, now) == std::vector<std::string>{"/d/e", "/list/*/c"});
}
