// SPDX-License-Identifier: MIT
#include "bench/gnuplot.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"

namespace scullpin::bench {

namespace {

namespace fs = std::filesystem;

void write_all(int fd, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw_errno("hand the data to gnuplot");
        text.remove_prefix(static_cast<std::size_t>(put));
    }
}

/// All of it before gnuplot begins, in memory that is its standard input: no file is left, and
/// neither of the two waits for the other.
file_descriptor input_of(const std::string& script)
{
    file_descriptor input(::memfd_create("gnuplot", MFD_CLOEXEC));
    if (!input) throw_errno("memfd_create for gnuplot");
    write_all(input.get(), script);
    if (::lseek(input.get(), 0, SEEK_SET) != 0) throw_errno("rewind the input of gnuplot");
    return input;
}

pid_t start_gnuplot(int input, int output)
{
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    std::string name = "gnuplot";
    std::array<char*, 2> arguments{name.data(), nullptr};
    pid_t child = 0;
    const int error =
        ::posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw_error(error, "start gnuplot");
    return child;
}

int wait_for(pid_t child)
{
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) throw_errno("wait for gnuplot");
    return status;
}

}  // namespace

std::string quoted(const std::string& text)
{
    std::string made = "'";
    for (const char letter : text) {
        if (letter == '\'') made += '\'';
        made += static_cast<unsigned char>(letter) < ' ' ? ' ' : letter;
    }
    return made + "'";
}

bool has_gnuplot()
{
    const char* folders = std::getenv("PATH");
    std::istringstream list(folders != nullptr ? folders : "");
    for (std::string folder; std::getline(list, folder, ':');)
        if (::access((folder + "/gnuplot").c_str(), X_OK) == 0) return true;
    return false;
}

void check_plot(const std::string& file, const std::vector<std::string>& paths)
{
    std::error_code unknown;
    const auto folder = fs::absolute(file).parent_path();
    if (!fs::is_directory(folder, unknown) || ::access(folder.c_str(), W_OK) != 0)
        throw usage_error(
            fmt::format("--plot {}: no file can be made in {}", file, folder.string()));
    if (fs::exists(file, unknown) && !fs::is_regular_file(file, unknown))
        throw usage_error(fmt::format("--plot {} is not a file", file));
    for (const auto& path : paths)
        if (fs::equivalent(file, path, unknown))
            throw usage_error(fmt::format("--plot {} would replace what is measured", file));
}

void draw(const std::string& file, const std::string& script)
{
    const auto input = input_of(script);
    const auto output = file_descriptor::open(file, O_WRONLY | O_CREAT | O_TRUNC);
    const int status = wait_for(start_gnuplot(input.get(), output.get()));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw std::runtime_error(fmt::format("gnuplot failed to draw {}", file));
    if (::lseek(output.get(), 0, SEEK_END) <= 0)
        throw std::runtime_error(fmt::format("gnuplot drew nothing into {}", file));
}

}  // namespace scullpin::bench
