// SPDX-License-Identifier: MIT
#include "run.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/core.h>

#include "hostile.hpp"
#include "thread.hpp"
#include "worker.hpp"
#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"

namespace scullpin::stress {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t self_test_bytes = std::uint64_t{256} << 10;

/// All that the threads of a run use. Not on the stack: what never ends keeps using it.
struct running {
    explicit running(const settings& asked) : wanted(asked), on(wanted) {}

    const settings wanted;
    target on;
    std::vector<std::unique_ptr<worker>> workers;
    std::optional<hostility> events;
    std::atomic<std::size_t> threads{0};  ///< that have not ended
};

/// A thread that ends a run badly when its work throws.
template <typename Work>
std::jthread guarded(running& all, Work work)
{
    all.threads++;
    try {
        return start_thread([&all, work] {
            try {
                work();
            } catch (const std::exception& error) {
                all.on.report({"error", error.what(), {}, 0, {}, {}});
            }
            all.threads--;
        });
    } catch (...) {
        all.threads--;
        throw;
    }
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

/// A worker finds by itself that nothing comes back of what it has submitted, unless it is held up
/// in a call that does not return.
void look_for_stuck(running& all)
{
    constexpr double grace_s = 1;
    const double deadline = std::chrono::duration<double>(all.wanted.deadline).count();
    const auto one = all.on.requests.oldest();
    if (!one || all.on.seconds() - one->begun_s < deadline + grace_s) return;
    all.on.report({"lost",
                   fmt::format("the call has not returned after {} s", deadline),
                   *one,
                   one->offset,
                   {},
                   all.on.requests.near(*one)});
}

/// Looks at the clock, and lets others look at the run, until its threads have ended, or something
/// never will.
void watch(running& all, const std::function<void(const state&)>& progress)
{
    target& on = all.on;
    const settings& wanted = all.wanted;
    const double begun = on.seconds();
    const double most =
        wanted.runtime ? std::chrono::duration<double>(*wanted.runtime).count() : 1e300;
    while (all.threads > 0 && !on.lost()) {
        std::this_thread::sleep_for(on.ended() ? 1ms : 20ms);
        look_for_stuck(all);
        if (on.ended()) continue;
        const double seconds = on.seconds() - begun;
        if (progress) progress({seconds, on.completed, on.problems()});
        if (seconds >= most || (wanted.stop != nullptr && *wanted.stop)) on.end();
    }
    // With the problem that has ended it.
    if (progress) progress({on.seconds() - begun, on.completed, on.problems()});
}

/// @return whether all came to their end; of a run with a lost request, those that do so soon
bool join(running& all, std::vector<std::jthread>& threads)
{
    for (int waits = 0; all.on.lost() && all.threads > 0 && waits < 100; waits++)
        std::this_thread::sleep_for(10ms);
    const bool ended = all.threads == 0;
    for (auto& one : threads) ended ? one.join() : one.detach();
    return ended;
}

outcome collect(const running& all)
{
    outcome told = all.on.result();
    for (const auto& one : all.workers) told.did.add(one->did());
    told.hostile = all.events->counts();
    const auto cancel = told.hostile.find(to_string(event::cancel));
    if (cancel != told.hostile.end()) cancel->second = told.did.cancelled;
    told.aborted = all.wanted.stop != nullptr && *all.wanted.stop;
    return told;
}

/// What is in flight for ever still writes to memory: it stays until the program ends.
void keep(std::unique_ptr<running> all)
{
    static std::mutex lock;
    static std::vector<std::unique_ptr<running>> kept;
    const std::lock_guard hold(lock);
    kept.push_back(std::move(all));
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
    auto all = std::make_unique<running>(wanted);
    target& on = all->on;
    if (wanted.ready && !wanted.ready()) return on.result();
    if (wanted.write) on.fill();
    // What was not filled has nothing to say.
    const bool stopped = wanted.stop != nullptr && *wanted.stop;
    if (stopped) on.end();
    for (unsigned i = 0; i < (stopped ? 0 : wanted.jobs); i++)
        all->workers.push_back(std::make_unique<worker>(on, all->wanted, i));
    std::vector<pthread_t> handles;
    std::vector<std::jthread> threads;
    const ender end_before_joining(on);
    for (auto& one : all->workers) {
        threads.push_back(guarded(*all, [&one] { one->run(); }));
        handles.push_back(threads.back().native_handle());
    }
    all->events.emplace(on, all->wanted, all->workers, handles);
    threads.push_back(guarded(*all, [events = &*all->events] { events->run(); }));
    watch(*all, progress);
    const bool ended = join(*all, threads);
    if (!stopped && !on.lost() && on.wild().count > 0) verify_wild(on);
    auto told = collect(*all);
    if (told.lost || !ended) keep(std::move(all));
    return told;
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
