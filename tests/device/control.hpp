// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <sys/types.h>

/// What tests need root for, done by a process that was forked before privileges were dropped. So
/// one suite serves root and nobody alike.
class control {
public:
    /// Forks the helper; then, when @p uid is not 0, becomes that user.
    static void start(uid_t uid);
    static control& get();

    /// Writes a file. @return 0 or -errno
    int write(const std::string& path, const std::string& text);
    /// The content of a file, up to 64 KiB; empty when it cannot be read.
    std::string read(const std::string& path);
    /// Runs a shell command. @return its exit status
    int run(const std::string& command);
    /// Writes the name of a test to the kernel log and forgets what came before it. The test ends
    /// by the next mark, or is killed after four minutes.
    void mark_log(const std::string& test);
    /// The kernel log since the mark.
    std::string log_since_mark();

private:
    std::string ask(char what, const std::string& first, const std::string& second = {});

    int socket_ = -1;
};
