// SPDX-License-Identifier: MIT
// Signals during a wait: one that does not kill never interrupts a transfer. The answer is the bytes moved, and -ERESTARTSYS stays inside.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "fixture.hpp"
#include "memory.hpp"
#include "ways.hpp"

using scullpin::direction;

namespace {

std::atomic<unsigned> handled{0};

/// SIGUSR1 again and again to the thread that made it, with a handler that does not restart system calls.
class signal_storm {
public:
    signal_storm() : target_(::pthread_self())
    {
        struct sigaction action{};
        action.sa_handler = [](int) { handled++; };
        ::sigaction(SIGUSR1, &action, &before_);
        sender_ = std::thread([this] {
            while (!stop_) {
                ::pthread_kill(target_, SIGUSR1);
                ::sched_yield();
            }
        });
    }
    ~signal_storm()
    {
        stop_ = true;
        sender_.join();
        ::sigaction(SIGUSR1, &before_, nullptr);
    }

private:
    pthread_t target_;
    struct sigaction before_{};
    std::atomic<bool> stop_{false};
    std::thread sender_;
};

}  // namespace

TEST_CASE_METHOD(device_fixture, "signals that do not kill never cut a synchronous transfer short")
{
    const setting latency("latency_us", GENERATE("0", "3000"));
    const setting completion("completion", GENERATE("auto", "deferred"));
    const auto dir = GENERATE(direction::read, direction::write);
    const auto fd = open_direct();
    const memory buffer(64);
    handled = 0;
    for (const auto& way : all_ways()) {
        if (way.asynchronous) continue;
        CAPTURE(way.name);
        const signal_storm storm;
        for (int round = 0; round < 20; round++)
            CHECK(way.run(fd.get(), dir, buffer.span(), 0) == static_cast<std::int64_t>(buffer.size()));
    }
    CHECK(handled > 0);
}
