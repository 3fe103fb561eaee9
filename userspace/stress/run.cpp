// SPDX-License-Identifier: MIT
#include "run.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "hostile.hpp"
#include "thread.hpp"
#include "worker.hpp"
#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"

namespace scullpin::stress {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t self_test_bytes = std::uint64_t{256} << 10;

/// A thread that ends a run badly when its work throws.
template <typename Work>
std::jthread guarded(target& on, Work work)
{
    return start_thread([&on, work] {
        try {
            work();
        } catch (const std::exception& error) {
            on.report({"error", error.what(), {}, 0, {}, {}});
        }
    });
}

/// Ends a run that is left early, so that its threads can be joined.
class ender {
public:
    explicit ender(target& on) : on_(on) {}
    ~ender() { on_.end(); }
    ender(const ender&) = delete;
    ender& operator=(const ender&) = delete;

private:
    target& on_;
};

/// Looks at the clock, and lets others look at the run.
void watch(target& on, const settings& wanted, const std::function<void(const state&)>& progress)
{
    const double begun = on.seconds();
    const double most =
        wanted.runtime ? std::chrono::duration<double>(*wanted.runtime).count() : 1e300;
    while (!on.ended()) {
        std::this_thread::sleep_for(20ms);
        const double seconds = on.seconds() - begun;
        if (progress) progress({seconds, on.completed, on.problems()});
        if (seconds >= most || (wanted.stop != nullptr && *wanted.stop)) on.end();
    }
    // With the problem that has ended it.
    if (progress) progress({on.seconds() - begun, on.completed, on.problems()});
}

outcome collect(const target& on, const settings& wanted,
                const std::vector<std::unique_ptr<worker>>& workers, const hostility& events)
{
    outcome all = on.result();
    for (const auto& one : workers) all.did.add(one->did());
    all.hostile = events.counts();
    const auto cancel = all.hostile.find(to_string(event::cancel));
    if (cancel != all.hostile.end()) cancel->second = all.did.cancelled;
    all.aborted = wanted.stop != nullptr && *wanted.stop;
    return all;
}

using workers_of_a_run = std::unique_ptr<std::vector<std::unique_ptr<worker>>>;

/// What is in flight for ever still writes to memory: it stays until the program ends.
void keep(std::unique_ptr<target> on, workers_of_a_run workers)
{
    static std::vector<std::pair<std::unique_ptr<target>, workers_of_a_run>> kept;
    kept.emplace_back(std::move(on), std::move(workers));
}

/// A run in which @p what is planted.
settings self_test_of(fault what, const std::string& path, std::uint64_t seed)
{
    settings wanted;
    wanted.path = path;
    wanted.write = what != fault::changed;
    wanted.size = self_test_bytes;
    wanted.most_bytes = std::size_t{8} << 10;
    if (wanted.write) wanted.acts = {act::read, act::write};
    wanted.backends = {backend_kind::sync, backend_kind::libaio, backend_kind::io_uring};
    wanted.memory = {memory_kind::base};
    wanted.depth = 4;
    wanted.seed = seed;
    wanted.runtime = 30s;
    if (what == fault::lost) wanted.deadline = 1s;
    wanted.plant = what;
    // A file promises that much to one writer at a time.
    wanted.jobs = 1;
    return wanted;
}

}  // namespace

outcome run(const settings& wanted, const std::function<void(const state&)>& progress)
{
    // Not on the stack: what never ends keeps using it.
    auto on = std::make_unique<target>(wanted);
    workers_of_a_run workers = std::make_unique<std::vector<std::unique_ptr<worker>>>();
    if (wanted.ready && !wanted.ready()) return on->result();
    if (wanted.write) on->fill();
    // What was not filled has nothing to say.
    const bool stopped = wanted.stop != nullptr && *wanted.stop;
    if (stopped) on->end();
    for (unsigned i = 0; i < (stopped ? 0 : wanted.jobs); i++)
        workers->push_back(std::make_unique<worker>(*on, wanted, i));
    std::vector<pthread_t> handles;
    std::optional<hostility> events;
    std::vector<std::jthread> threads;
    const ender end_before_joining(*on);
    for (auto& one : *workers) {
        threads.push_back(guarded(*on, [&one] { one->run(); }));
        handles.push_back(threads.back().native_handle());
    }
    events.emplace(*on, wanted, *workers, handles);
    threads.push_back(guarded(*on, [&events] { events->run(); }));
    watch(*on, wanted, progress);
    for (auto& one : threads) one.join();
    if (!stopped && !on->lost() && on->wild().count > 0) verify_wild(*on);
    auto all = collect(*on, wanted, *workers, *events);
    if (all.lost) keep(std::move(on), std::move(workers));
    return all;
}

std::vector<self_test_row> self_test(const std::string& folder, std::uint64_t seed,
                                     const std::atomic<bool>* stop)
{
    std::vector<self_test_row> rows;
    for (const auto what : {fault::stale, fault::misdirected, fault::torn, fault::zeros,
                            fault::poison, fault::foreign, fault::shortened, fault::overrun,
                            fault::lost, fault::doubled, fault::changed}) {
        std::string path = folder + "/scullpin-self-test-XXXXXX";
        const file_descriptor file(::mkstemp(path.data()));
        if (!file) throw_errno("make a file in " + folder);
        ::unlink(path.c_str());
        if (::ftruncate(file.get(), self_test_bytes) != 0) throw_errno("make a file longer");
        auto wanted = self_test_of(what, "/proc/self/fd/" + std::to_string(file.get()), seed);
        wanted.stop = stop;
        const auto all = run(wanted);
        if (all.aborted) break;
        rows.push_back(
            {to_string(what), all.problems.empty() ? "" : all.problems.front().kind, all.seconds});
    }
    return rows;
}

}  // namespace scullpin::stress
