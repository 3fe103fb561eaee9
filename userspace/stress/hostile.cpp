// SPDX-License-Identifier: MIT
#include "hostile.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/core.h>

#include "victim.hpp"
#include "scullpin/aligned_buffer.hpp"
#include "scullpin/error.hpp"

namespace scullpin::stress {

namespace {

using namespace std::chrono_literals;

/// Where a child in the cgroup begins to be short of memory: from there on it reclaims and waits.
constexpr std::size_t group_bytes = std::size_t{16} << 20;

/// A signal that says nothing: it only interrupts.
void ignore_signal(int)
{
}

void wait_for(pid_t child)
{
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
}

/// Ends a child after a while, at a moment that it does not choose.
void kill_after(pid_t child, std::chrono::microseconds life)
{
    std::this_thread::sleep_for(life);
    ::kill(child, SIGKILL);
    wait_for(child);
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
    make_group();
}

void hostility::run()
{
    // cancel is the workers' own.
    std::vector<event> events;
    for (const auto what : wanted_.hostile)
        if (what != event::cancel) events.push_back(what);
    while (!on_.ended() && !events.empty()) {
        once(events[static_cast<std::size_t>(random_() % events.size())]);
        std::this_thread::sleep_for(std::chrono::milliseconds(1 + random_() % 8));
    }
}

hostility::~hostility()
{
    std::error_code unknown;
    if (!group_.empty()) std::filesystem::remove(group_, unknown);
}

void hostility::once(event what)
{
    switch (what) {
    case event::fork: fork_over_memory(); break;
    case event::unmap: unmap_in_flight(); break;
    case event::kill: kill_in_flight(); break;
    case event::pageout: page_out(); break;
    case event::signals: signal_workers(); break;
    case event::memcg: starve(); break;
    case event::cancel: return;
    }
    counts_[to_string(what)]++;
}

/// The child writes to each page of private memory that the parent's requests are under way to: it
/// must get copies, and the parent must keep what the device sees.
void hostility::fork_over_memory()
{
    std::vector<std::span<std::byte>> all;
    for (const auto& one : workers_)
        for (const auto memory : one->private_memory()) all.push_back(memory);
    const pid_t child = ::fork();
    if (child < 0) throw_errno("fork");
    if (child > 0) return wait_for(child);
    for (const auto memory : all)
        for (std::size_t at = 0; at < memory.size(); at += 4096) memory[at] = std::byte{0xee};
    ::_exit(0);
}

/// The memory of a read goes away while it is in flight; whatever its answer is, it comes.
void hostility::unmap_in_flight()
{
    const auto kind = on_.can().ways[static_cast<std::size_t>(random_() % on_.can().ways.size())];
    if (kind.how == backend_kind::mmap) return;
    const std::size_t length = on_.can().most_blocks * on_.can().block_bytes;
    auto requests = make_backend(kind.how, on_.open(kind.direct).fd(), 1);
    void* place =
        ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw_errno("map memory that goes away");
    const operation op{
        direction::read, on_.offset_of(0), {static_cast<std::byte*>(place), length}, 1};
    requests->submit({&op, 1});
    ::munmap(place, length);
    std::vector<completion> ended;
    if (requests->reap(ended, 1, target::clock::now() + wanted_.deadline) > 0) return;
    on_.report({"lost", "a read whose memory was unmapped has no completion", {}, 0, {}, {}});
    // Its destructor would wait.
    static_cast<void>(requests.release());
}

void hostility::kill_in_flight()
{
    const auto wild = on_.wild();
    if (wild.count == 0) return;
    const aligned_buffer memory(8 * on_.can().block_bytes);
    victim what{on_.open(on_.can().ways.front().direct).fd(), -1, on_.home(wild.first), wild.count,
                memory.span()};
    what.sequence = random_() >> 8;
    const pid_t child = start(what);
    if (child < 0) throw_errno("fork");
    kill_after(child, std::chrono::microseconds(random_() % 20000));
}

void hostility::page_out()
{
    for (const auto& one : workers_)
        for (const auto memory : one->all_memory())
            // Not all kinds of pages can go; that is no failure.
            ::madvise(memory.data(), memory.size(), MADV_PAGEOUT);
}

void hostility::signal_workers()
{
    for (const auto thread : threads_) ::pthread_kill(thread, SIGUSR1);
}

void hostility::make_group()
{
    if (!wanted_.has(event::memcg)) return;
    namespace fs = std::filesystem;
    const fs::path root = "/sys/fs/cgroup";
    std::error_code unknown;
    const fs::path group = root / fmt::format("scullpin-stress-{}", ::getpid());
    std::ofstream(root / "cgroup.subtree_control") << "+memory";
    if (!fs::create_directory(group, unknown) || !fs::exists(group / "memory.high") ||
        !(std::ofstream(group / "memory.high") << group_bytes).flush()) {
        on_.left_out.push_back({"memcg", "no cgroup that bounds memory can be made"});
        fs::remove(group, unknown);
        return;
    }
    group_ = group;
}

/// A child that is short of memory while its requests are in flight.
void hostility::starve()
{
    const auto wild = on_.wild();
    if (group_.empty() || wild.count == 0) return;
    const aligned_buffer memory(8 * on_.can().block_bytes);
    const aligned_buffer hoard(2 * group_bytes);
    const file_descriptor procs = file_descriptor::open(group_ + "/cgroup.procs", O_WRONLY);
    victim what{on_.open(on_.can().ways.front().direct).fd(),
                procs.get(),
                on_.home(wild.first),
                wild.count,
                memory.span(),
                hoard.span()};
    what.sequence = random_() >> 8;
    const pid_t child = start(what);
    if (child < 0) throw_errno("fork");
    kill_after(child, std::chrono::microseconds(random_() % 100000));
}

void verify_wild(target& on)
{
    const auto wild = on.wild();
    const std::size_t block_bytes = on.can().block_bytes;
    const bool direct = on.can().ways.front().direct;
    const aligned_buffer buffer(block_bytes);
    const auto requests = make_backend(backend_kind::sync, on.open(direct).fd(), 1);
    for (std::size_t block = wild.first; block < wild.first + wild.count; block++) {
        const operation op{direction::read, on.offset_of(block), buffer.span().first(block_bytes),
                           1};
        requests->submit({&op, 1});
        std::vector<completion> ended;
        requests->reap(ended, 1);
        const auto home = on.home(block);
        const auto who = read_block(op.memory);
        if (who && who->offset == home.offset && who->generation == home.generation) continue;
        mismatch wrong;
        wrong.kind = who ? mismatch_kind::misdirected : mismatch_kind::torn;
        wrong.found.assign(op.memory.begin(), op.memory.end());
        on.report({to_string(wrong.kind),
                   "a block that only killed processes wrote to is not whole",
                   {},
                   home.offset,
                   wrong,
                   {}});
        return;
    }
}

}  // namespace scullpin::stress
