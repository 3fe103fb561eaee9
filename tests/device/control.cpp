// SPDX-License-Identifier: MIT
#include "control.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr std::size_t message_max = 128 * 1024;

/// A test speaks to its helper when it begins and when it ends. One that is silent this long hangs
/// in a call that nothing else bounds.
timeval patience()
{
    const char* seconds = std::getenv("SCULLPIN_TEST_PATIENCE");
    return {seconds != nullptr ? std::atol(seconds) : 240, 0};
}

int write_whole(const std::string& path, const std::string& text)
{
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const int result = ::write(fd, text.data(), text.size()) < 0 ? -errno : 0;
    ::close(fd);
    return result;
}

std::string read_whole(int fd)
{
    std::string text;
    std::array<char, 8192> chunk{};
    ssize_t got = 0;
    while (text.size() < 65536 && (got = ::read(fd, chunk.data(), chunk.size())) > 0)
        text.append(chunk.data(), static_cast<std::size_t>(got));
    return text;
}

/// /dev/kmsg gives one record a read; prefix up to ';'.
std::string read_log(int fd)
{
    std::string text;
    std::array<char, 8192> record{};
    for (;;) {
        const ssize_t got = ::read(fd, record.data(), record.size());
        if (got < 0 && errno == EPIPE) continue;  // records were overwritten meanwhile
        if (got <= 0) return text;
        const std::string line(record.data(), static_cast<std::size_t>(got));
        text += line.substr(line.find(';') + 1);
    }
}

std::string answer(char what, const std::string& first, const std::string& second, int log)
{
    switch (what) {
    case 'w': return std::to_string(write_whole(first, second));
    case 'r': {
        const int fd = ::open(first.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return {};
        auto text = read_whole(fd);
        ::close(fd);
        return text;
    }
    case 'x': {
        const int status = std::system(first.c_str());
        return std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 255);
    }
    case 'm':
        write_whole("/dev/kmsg", "<6>scullpin-test: " + first + "\n");
        ::lseek(log, 0, SEEK_END);
        return {};
    case 'l': return read_log(log);
    default: std::abort();
    }
}

/// The line that the test itself cannot print any more; then its end.
[[noreturn]] void give_up(const std::string& test)
{
    const char* suffix = std::getenv("SCULLPIN_TEST_SUFFIX");
    const char* path = std::getenv("SCULLPIN_TEST_LINES");
    for (const char* file : {"/dev/stdout", path}) {
        std::FILE* out = file != nullptr ? std::fopen(file, "ae") : nullptr;
        if (out == nullptr) continue;
        std::fprintf(out, "FAIL %s%s (%ld000 ms) hangs and is killed\n", test.c_str(),
                     suffix != nullptr ? suffix : "", patience().tv_sec);
        std::fclose(out);
    }
    ::kill(::getppid(), SIGKILL);
    ::_exit(1);
}

[[noreturn]] void serve(int socket)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const timeval bound = patience();
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
    std::string test;
    const int log = ::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ::lseek(log, 0, SEEK_END);
    std::vector<char> message(message_max);
    for (;;) {
        const ssize_t got = ::recv(socket, message.data(), message.size(), 0);
        if (got < 0 && errno == EAGAIN) give_up(test);
        if (got <= 0) ::_exit(0);
        const std::string text(message.data() + 1, static_cast<std::size_t>(got) - 1);
        const auto cut = text.find('\0');
        if (message[0] == 'm') test = text.substr(0, cut);
        const auto reply = answer(message[0], text.substr(0, cut), text.substr(cut + 1), log);
        ::send(socket, reply.data(), reply.size(), 0);
    }
}

}  // namespace

control& control::get()
{
    static control instance;
    return instance;
}

void control::start(uid_t uid)
{
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) std::abort();
    const int size = static_cast<int>(message_max);
    for (const int end : pair) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    const pid_t helper = ::fork();
    if (helper < 0) std::abort();
    if (helper == 0) {
        ::close(pair[0]);
        serve(pair[1]);
    }
    ::close(pair[1]);
    get().socket_ = pair[0];
    if (uid == 0) return;
    if (::setgroups(0, nullptr) != 0 || ::setresgid(uid, uid, uid) != 0 ||
        ::setresuid(uid, uid, uid) != 0)
        std::abort();
}

std::string control::ask(char what, const std::string& first, const std::string& second)
{
    std::string message(1, what);
    message += first;
    message += '\0';
    message += second;
    if (::send(socket_, message.data(), message.size(), 0) < 0) std::abort();
    std::vector<char> reply(message_max);
    const ssize_t got = ::recv(socket_, reply.data(), reply.size(), 0);
    if (got < 0) std::abort();
    return {reply.data(), static_cast<std::size_t>(got)};
}

int control::write(const std::string& path, const std::string& text)
{
    return std::stoi(ask('w', path, text));
}

std::string control::read(const std::string& path)
{
    return ask('r', path);
}
int control::run(const std::string& command)
{
    return std::stoi(ask('x', command));
}
void control::mark_log(const std::string& test)
{
    ask('m', test);
}
std::string control::log_since_mark()
{
    return ask('l', {});
}
