// SPDX-License-Identifier: MIT
#include "bench/plot.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fmt/core.h>

#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"

namespace scullpin::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::array percents{0.0,  10.0, 25.0, 50.0, 75.0,  90.0,  95.0,
                              98.0, 99.0, 99.5, 99.9, 99.95, 99.99, 99.999};

/// Text in single quotes, for gnuplot: nothing but the quote is special, and a line must not end.
std::string quoted(const std::string& text)
{
    std::string made = "'";
    for (const char letter : text) {
        if (letter == '\'') made += '\'';
        made += static_cast<unsigned char>(letter) < ' ' ? ' ' : letter;
    }
    return made + "'";
}

/// x: how many nines, so that each further digit of a percentile has as much room as the one
/// before.
std::string curve(const histogram& values)
{
    std::string rows;
    for (const double percent : percents)
        if (percent == 0 || static_cast<double>(values.count()) * (100 - percent) >= 100)
            rows += fmt::format("{:.3f} {:.3f}\n", 100 / (100 - percent),
                                static_cast<double>(values.percentile(percent)) / 1000);
    return rows;
}

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

std::string plot_script(const std::vector<run_result>& results)
{
    std::string plots, rows;
    for (const auto& result : results)
        for (const auto dir : {direction::read, direction::write}) {
            const auto& values = result.sides[index_of(dir)].clat;
            if (values.count() == 0) continue;
            const auto title = result.path + (dir == direction::read ? " read" : " write");
            plots += fmt::format("'-' using 1:2 with linespoints title {}, ", quoted(title));
            rows += curve(values) + "e\n";
        }
    if (plots.empty()) return {};
    plots.resize(plots.size() - 2);
    return "set terminal svg size 900,600 noenhanced\n"
           "set title 'completion latency'\n"
           "set xlabel 'percentile'\n"
           "set ylabel 'microseconds'\n"
           "set logscale xy\n"
           "set key left top\n"
           "set grid\n"
           "set xtics ('0' 1, '50' 2, '90' 10, '99' 100, '99.9' 1000, '99.99' 10000, "
           "'99.999' 100000)\n"
           "plot " +
           plots + "\n" + rows;
}

void plot(const std::string& file, const std::vector<run_result>& results)
{
    const auto script = plot_script(results);
    if (script.empty()) throw std::runtime_error("nothing was measured that could be drawn");
    const auto input = input_of(script);
    const auto output = file_descriptor::open(file, O_WRONLY | O_CREAT | O_TRUNC);
    const int status = wait_for(start_gnuplot(input.get(), output.get()));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw std::runtime_error(fmt::format("gnuplot failed to draw {}", file));
    if (::lseek(output.get(), 0, SEEK_END) <= 0)
        throw std::runtime_error(fmt::format("gnuplot drew nothing into {}", file));
}

}  // namespace scullpin::bench
