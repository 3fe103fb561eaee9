// SPDX-License-Identifier: MIT
#include "bench/run.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/null_backend.hpp"
#include "bench/worker.hpp"

namespace scullpin::bench {

namespace {

using clock = worker::clock;

/// The threads of a run. All are joined when it goes.
class crew {
public:
    crew(const device& place, const job& what, const span& where)
    {
        const auto make = [&](std::span<std::byte> memory) {
            return make_backend(what.backend, place.fd(), what.iodepth,
                                what.fixedbufs ? memory : std::span<std::byte>());
        };
        for (unsigned i = 0; i < what.numjobs; i++)
            workers_.push_back(std::make_unique<worker>(what, where, mix(what.seed + i), make));
    }

    void start(const std::atomic<bool>* stop)
    {
        running_ = workers_.size();
        for (auto& one : workers_) threads_.emplace_back([this, &one, stop] { work(*one, stop); });
    }

    /// @return false when all have ended
    bool wait(std::chrono::milliseconds most)
    {
        std::unique_lock lock(mutex_);
        return !ended_.wait_for(lock, most, [this] { return running_ == 0; });
    }

    [[nodiscard]] std::uint64_t moved() const
    {
        std::uint64_t sum = 0;
        for (const auto& one : workers_) sum += one->moved();
        return sum;
    }

    /// After the end. @throws what the first thread that failed threw
    void collect(run_result& result) const
    {
        if (failure_) std::rethrow_exception(failure_);
        auto begun = clock::time_point::max(), ended = clock::time_point::min();
        for (const auto& one : workers_) {
            begun = std::min(begun, one->begun());
            ended = std::max(ended, one->ended());
            result.aborted = result.aborted || one->stopped();
            for (std::size_t i = 0; i < result.sides.size(); i++)
                result.sides[i].merge(one->results()[i]);
        }
        result.elapsed = ended - begun;
    }

private:
    void work(worker& one, const std::atomic<bool>* stop)
    {
        std::exception_ptr failure;
        try {
            one.run(stop);
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = failure;
        running_--;
        ended_.notify_all();
    }

    std::vector<std::unique_ptr<worker>> workers_;
    std::mutex mutex_;
    std::condition_variable ended_;
    std::size_t running_ = 0;     ///< under the mutex
    std::exception_ptr failure_;  ///< under the mutex
    std::vector<std::jthread> threads_;
};

}  // namespace

run_result run(const device& place, const job& what, const span& where, const control& how)
{
    run_result result{place.path(), place.shape().what, where, {}, {}, false};
    crew threads(place, what, where);
    const auto begun = clock::now();
    threads.start(how.stop);
    do {
        if (how.progress) how.progress(threads.moved(), clock::now() - begun);
    } while (threads.wait(std::chrono::milliseconds(100)));
    threads.collect(result);
    return result;
}

std::optional<double> overhead_ns(const job& what, const span& where)
{
    job same = what;
    same.runtime = std::chrono::milliseconds(50);
    same.block_bytes = 512;  // nobody looks at the memory
    worker one(same, where, what.seed, [](auto) { return std::make_unique<null_backend>(); });
    one.run(nullptr);
    const std::uint64_t count = one.results()[0].operations + one.results()[1].operations;
    if (count == 0) return std::nullopt;
    return static_cast<double>(std::chrono::nanoseconds(one.ended() - one.begun()).count()) /
           static_cast<double>(count);
}

}  // namespace scullpin::bench
