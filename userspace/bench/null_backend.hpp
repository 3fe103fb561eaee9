// SPDX-License-Identifier: MIT
#pragma once

#include "scullpin/backend.hpp"

namespace scullpin::bench {

/// Ends every operation at once, and moves nothing: what is left is what measuring costs.
class null_backend : public backend {
public:
    void submit(std::span<const operation> operations) override
    {
        for (const auto& op : operations)
            ended_.push_back({op.tag, static_cast<std::int64_t>(op.memory.size())});
        in_flight_ = ended_.size();
    }

    std::size_t reap(std::vector<completion>& completions, std::size_t, clock::time_point) override
    {
        const std::size_t count = ended_.size();
        completions.insert(completions.end(), ended_.begin(), ended_.end());
        ended_.clear();
        in_flight_ = 0;
        return count;
    }

private:
    std::vector<completion> ended_;
};

}  // namespace scullpin::bench
