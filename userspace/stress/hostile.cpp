// SPDX-License-Identifier: MIT
#include "hostile.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/core.h>

#include "scullpin/aligned_buffer.hpp"
#include "scullpin/error.hpp"

namespace scullpin::stress {

namespace {

using namespace std::chrono_literals;

/// Where a child in the cgroup begins to be short of memory.
constexpr std::size_t group_bytes = std::size_t{16} << 20;

/// A signal that says nothing: it only interrupts.
void ignore_signal(int)
{
}

/// @return how it ended, as waitpid(2) says it
int wait_for(pid_t child)
{
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return status;
}

/// Whether the other end of a pipe says something within that time.
bool hears(int fd, std::chrono::milliseconds patience)
{
    pollfd what{fd, POLLIN, 0};
    char said = 0;
    return ::poll(&what, 1, static_cast<int>(patience.count())) == 1 && ::read(fd, &said, 1) == 1;
}

}  // namespace

hostility::hostility(target& on, const settings& wanted,
                     const std::vector<std::unique_ptr<worker>>& workers,
                     std::vector<pthread_t> threads)
    : on_(on),
      wanted_(wanted),
      workers_(workers),
      threads_(std::move(threads)),
      random_(wanted.seed)
{
    struct sigaction action {};
    action.sa_handler = ignore_signal;  // and no SA_RESTART: system calls see it
    ::sigaction(SIGUSR1, &action, nullptr);
    choose_events();
}

void hostility::choose_events()
{
    for (const auto what : wanted_.hostile) {
        if (!counts_.emplace(to_string(what), 0).second) continue;  // it is given twice
        events_.push_back(what);
        const auto obstacle = obstacle_to(what);
        if (!obstacle.empty()) leave_out(what, obstacle);
    }
    std::erase(events_, event::cancel);
}

/// @return why it cannot happen here; empty: it can
std::string hostility::obstacle_to(event what)
{
    const bool in_flight = what == event::cancel || what == event::unmap || what == event::kill ||
                           what == event::memcg;
    if (in_flight && victim_ways(on_.can()).empty()) return "no back end is asynchronous";
    if (what != event::kill && what != event::memcg) return {};
    if (!wanted_.write) return "without --write its children have no blocks of their own";
    if (on_.wild().count == 0) return "its children need at least one of 16 blocks";
    if (what == event::kill) return {};
    try {
        group_.emplace("/sys/fs/cgroup", group_bytes);
    } catch (const std::system_error& error) {
        return error.what();
    }
    return {};
}

void hostility::leave_out(event what, const std::string& reason)
{
    on_.left_out.push_back({to_string(what), reason});
    counts_.erase(to_string(what));
    std::erase(events_, what);
}

void hostility::run()
{
    // One after the other, so that a short run has all of them.
    for (std::size_t turn = 0; !on_.ended() && !events_.empty(); turn++) {
        const auto what = events_[turn % events_.size()];
        if (once(what)) counts_[to_string(what)]++;
        std::this_thread::sleep_for(std::chrono::milliseconds(1 + random_() % 8));
    }
    for (const auto& [what, reason] : refusals_)
        if (counts_[to_string(what)] == 0)
            leave_out(what, "its children could not submit: " + reason);
}

bool hostility::once(event what)
{
    switch (what) {
    case event::fork: return fork_over_memory();
    case event::unmap: return unmap_in_flight();
    case event::kill: return kill_in_flight();
    case event::pageout: return page_out();
    case event::signals: return signal_workers();
    case event::memcg: return starve();
    case event::cancel: break;
    }
    return false;
}

/// The child writes to each page of private memory that the parent's requests are under way to: it
/// must get copies, and the parent must keep what the device sees.
bool hostility::fork_over_memory()
{
    std::vector<std::span<std::byte>> all;
    for (const auto& one : workers_)
        for (const auto memory : one->private_memory()) all.push_back(memory);
    const pid_t child = ::fork();
    if (child < 0) throw_errno("fork");
    if (child > 0) return wait_for(child) == 0;
    for (const auto memory : all)
        for (std::size_t at = 0; at < memory.size(); at += 4096) memory[at] = std::byte{0xee};
    ::_exit(0);
}

/// The memory of some reads goes away while they are in flight; whatever their answers are, they
/// come.
bool hostility::unmap_in_flight()
{
    constexpr unsigned depth = 4;  // the first may have ended when the last is submitted
    const auto ways = victim_ways(on_.can());
    const auto by = ways[static_cast<std::size_t>(random_() % ways.size())];
    const std::size_t length = on_.can().most_blocks * on_.can().block_bytes;
    auto requests = make_backend(by.how, on_.open(by.direct).fd(), depth);
    void* place =
        ::mmap(nullptr, depth * length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw_errno("map memory that goes away");
    std::vector<operation> reads;
    for (std::size_t i = 0; i < depth; i++)
        reads.push_back({direction::read,
                         on_.offset_of(0),
                         {static_cast<std::byte*>(place) + i * length, length},
                         i + 1});
    requests->submit(reads);
    std::vector<completion> ended;
    const bool in_flight = requests->reap(ended, 0, target::clock::now()) < depth;
    ::munmap(place, depth * length);
    requests->reap(ended, depth - ended.size(), target::clock::now() + wanted_.deadline);
    if (ended.size() == depth) return in_flight;
    on_.report({"lost", "a read whose memory was unmapped has no completion", {}, 0, {}, {}});
    // Its destructor would wait.
    static_cast<void>(requests.release());
    return true;
}

/// A child that is killed a while after its first requests are in flight, at a moment that it does
/// not choose. One that ends by itself has nothing in flight.
bool hostility::live_and_die(event what, victim child, std::chrono::microseconds longest)
{
    const auto ways = victim_ways(on_.can());
    child.by = ways[children_++ % ways.size()];
    const auto& ours = on_.open(child.by.direct);
    auto theirs = std::make_optional(device::open(fmt::format("/proc/self/fd/{}", ours.fd()),
                                                  access::read_write, child.by.direct));
    if (::flock(theirs->fd(), LOCK_EX) != 0) throw_errno("flock");
    child.fd = theirs->fd();
    child.home = on_.home(on_.wild().first);
    child.blocks = on_.wild().count;
    child.most_blocks = on_.can().most_blocks;
    const aligned_buffer memory(victim_depth * child.most_blocks * on_.can().block_bytes);
    child.memory = memory.span();
    child.sequence = random_() >> 8;
    const bool in_flight = kill_after(what, child, longest * (random_() % 1000) / 1000);
    theirs.reset();
    wait_for_release(ours);
    return in_flight;
}

/// @return whether requests were in flight
bool hostility::kill_after(event what, victim child, std::chrono::microseconds life)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe");
    const file_descriptor hear(ends[0]);
    file_descriptor say(ends[1]);
    child.begun_fd = say.get();
    const pid_t process = start(child);
    if (process < 0) throw_errno("fork");
    say = file_descriptor();
    const bool begun =
        hears(hear.get(), wanted_.deadline) && (child.hoard.empty() || memory_is_short());
    if (begun) std::this_thread::sleep_for(life);
    ::kill(process, SIGKILL);
    const int status = wait_for(process);
    if (WIFEXITED(status)) refusals_[what] = std::generic_category().message(WEXITSTATUS(status));
    return begun && WIFSIGNALED(status);
}

/// Waits until it is for the child in the cgroup, or does not become so.
bool hostility::memory_is_short() const
{
    const auto deadline = target::clock::now() + 5s;
    while (group_->shortages() == shortages_ && target::clock::now() < deadline)
        std::this_thread::sleep_for(1ms);
    return group_->shortages() > shortages_;
}

/// Requests of io_uring outlive their process, but hold its open file, and its lock with it. What
/// is still to come must not meet the requests of the next one.
void hostility::wait_for_release(const device& ours)
{
    const auto deadline = target::clock::now() + wanted_.deadline;
    while (::flock(ours.fd(), LOCK_EX | LOCK_NB) != 0) {
        if (target::clock::now() > deadline) {
            on_.report({"lost", "requests of a killed process do not end", {}, 0, {}, {}});
            return;
        }
        std::this_thread::sleep_for(1ms);
    }
    ::flock(ours.fd(), LOCK_UN);
}

bool hostility::kill_in_flight()
{
    return live_and_die(event::kill, {}, 20ms);
}

bool hostility::page_out()
{
    bool any = false;
    for (const auto& one : workers_)
        for (const auto memory : one->all_memory())
            // Not all kinds of pages can go; that is no failure.
            any = ::madvise(memory.data(), memory.size(), MADV_PAGEOUT) == 0 || any;
    return any;
}

bool hostility::signal_workers()
{
    bool any = false;
    for (const auto thread : threads_) any = ::pthread_kill(thread, SIGUSR1) == 0 || any;
    return any;
}

/// A child that is short of memory while its requests are in flight.
bool hostility::starve()
{
    const aligned_buffer hoard(2 * group_bytes);
    const auto procs = file_descriptor::open(group_->path() + "/cgroup.procs", O_WRONLY);
    shortages_ = group_->shortages();
    victim child;
    child.group_fd = procs.get();
    child.hoard = hoard.span();
    return live_and_die(event::memcg, child, 100ms);
}

namespace {

/// Reads one block. @return the request, with its result
request read_wild(target& on, backend& requests, extent block, std::span<std::byte> bytes)
{
    request what;
    what.worker = on.jobs();
    what.step.by.direct = on.can().ways.front().direct;
    what.step.where = block;
    what.offset = on.offset_of(block.first);
    what.length = bytes.size();
    what.begun_s = on.seconds();
    std::fill(bytes.begin(), bytes.end(), prefill);
    const operation op{direction::read, what.offset, bytes, 0};
    requests.submit({&op, 1});
    std::vector<completion> ended;
    requests.reap(ended, 1);
    what.result = ended.at(0).result;
    what.ended_s = on.seconds();
    return what;
}

/// What is wrong with a block that was read.
std::optional<problem> judge_wild(target& on, const request& what, std::span<const std::byte> bytes,
                                  const version& first)
{
    problem told{"", "a block that only killed processes wrote to: ", what, what.offset, {}, {}};
    if (what.result < 0) {
        told.kind = "error";
        told.text += std::generic_category().message(static_cast<int>(-what.result));
        return told;
    }
    const auto wrong = examine_uncounted(bytes, on.home(what.step.where.first), first);
    if (!wrong) return std::nullopt;
    told.kind = to_string(wrong->kind);
    told.text += wrong->detail;
    told.what = *wrong;
    return told;
}

}  // namespace

void verify_wild(target& on)
{
    const auto wild = on.wild();
    const aligned_buffer buffer(on.can().block_bytes);
    const auto bytes = buffer.span().first(on.can().block_bytes);
    const auto requests =
        make_backend(backend_kind::sync, on.open(on.can().ways.front().direct).fd(), 1);
    for (std::size_t i = 0; i < wild.count; i++) {
        const extent block{wild.first + i, 1};
        const auto first = on.blocks->end_read(block, on.blocks->begin_read())[0].alive.front();
        const auto what = read_wild(on, *requests, block, bytes);
        auto wrong = judge_wild(on, what, bytes, first);
        if (!wrong) continue;
        wrong->neighbours = on.requests.near(what);
        on.report(std::move(*wrong));
        return;
    }
}

}  // namespace scullpin::stress
