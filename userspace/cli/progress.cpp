// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <unistd.h>

#include <cstdio>

#include <fmt/core.h>

#include "scullpin/size.hpp"

namespace scullpin::cli {

bool shows_progress(const common_options& options)
{
    return !options.quiet && (options.progress == "always" ||
                              (options.progress == "auto" && ::isatty(STDERR_FILENO) != 0));
}

progress_line::progress_line(const common_options& options, std::uint64_t total,
                             std::optional<double> most)
    : total_(total), most_(most), shown_(shows_progress(options))
{
}

progress_line::~progress_line()
{
    if (drawn_) fmt::print(stderr, "\n");
}

double progress_line::seconds() const
{
    return std::chrono::duration<double>(clock::now() - begun_).count();
}

void progress_line::update(std::uint64_t bytes)
{
    if (!shown_ || (clock::now() < next_ && bytes != total_)) return;
    next_ = clock::now() + std::chrono::milliseconds(200);
    drawn_ = true;
    const double rate = static_cast<double>(bytes) / std::max(seconds(), 1e-9);
    if (most_) {
        fmt::print(stderr, "\r{}, {}/s, {:.0f} s left  ", format_size(static_cast<double>(bytes)),
                   format_size(rate), std::max(*most_ - seconds(), 0.0));
        return;
    }
    if (bytes > total_) {  // nobody knew how much would come
        fmt::print(stderr, "\r{}, {}/s  ", format_size(static_cast<double>(bytes)),
                   format_size(rate));
        return;
    }
    fmt::print(stderr, "\r{} of {}, {}/s, {:.0f} s left  ", format_size(static_cast<double>(bytes)),
               format_size(static_cast<double>(total_)), format_size(rate),
               static_cast<double>(total_ - bytes) / std::max(rate, 1.0));
}

}  // namespace scullpin::cli
