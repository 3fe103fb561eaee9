// SPDX-License-Identifier: MIT
// What the kernel answers by itself for a character device: the table in tests/ENTRY-PATHS.md, row
// by row.
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include "aio.hpp"
#include "child.hpp"
#include "fixture.hpp"
#include "memory.hpp"
#include "ring.hpp"

using scullpin::file_descriptor;

namespace {

// Of kernels newer than the headers that this may be built with.
constexpr unsigned statx_dioalign = 0x2000;
constexpr int rwf_atomic = 0x40;

/// What a call answered by its return value: 0 or an errno; what else is wrong is -1.
int answer(long result)
{
    return result < 0 ? errno : 0;
}
int answer_if(bool holds)
{
    return holds ? 0 : -1;
}

file_descriptor other_file()
{
    file_descriptor file(::memfd_create("scullpin", MFD_CLOEXEC));
    REQUIRE(file);
    REQUIRE(::ftruncate(file.get(), 65536) == 0);
    return file;
}

int copy_file_range_both_ways(int fd)
{
    const auto file = other_file();
    off64_t from = 0, to = 0;
    const int out = answer(::copy_file_range(fd, &from, file.get(), &to, 4096, 0));
    const int in = answer(::copy_file_range(file.get(), &from, fd, &to, 4096, 0));
    return out == in ? out : -1;
}

int clone_of_the_node(int fd)
{
    const auto second = device_fixture::open_node();
    return answer(::ioctl(fd, FICLONE, second.get()));
}

int extent_map(int fd)
{
    fiemap map{};
    map.fm_length = 65536;
    return answer(::ioctl(fd, FS_IOC_FIEMAP, &map));
}

int number_by_ioctl(int fd, unsigned long command)
{
    int number = 0;
    return answer(::ioctl(fd, command, &number));
}

int size_by_fstat(int fd)
{
    struct stat status {};
    const int result = answer(::fstat(fd, &status));
    return result != 0 ? result : answer_if(status.st_size == 0 && S_ISCHR(status.st_mode));
}

int alignment_by_statx(int fd)
{
    struct statx status {};
    const int result = answer(::statx(fd, "", AT_EMPTY_PATH, statx_dioalign, &status));
    return result != 0 ? result : answer_if((status.stx_mask & statx_dioalign) == 0);
}

int truncation_by_open(int fd)
{
    const memory written(1), read(1);
    fill_random(written.span(), 91);
    if (::pwrite(fd, written.data(), page_size, 0) != page_size) return -1;
    const file_descriptor second(::open(node_path.c_str(), O_RDWR | O_TRUNC | O_CLOEXEC));
    if (!second) return errno;
    return answer_if(::pread(fd, read.data(), page_size, 0) == page_size &&
                     same(read.span(), written.span()));
}

int atomic_write(int fd)
{
    const memory page(1);
    const iovec segment{page.data(), page_size};
    return answer(::pwritev2(fd, &segment, 1, 0, rwf_atomic));
}

int exclusive_flock(int fd)
{
    const auto second = device_fixture::open_node();
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return errno;
    const int refused = answer(::flock(second.get(), LOCK_EX | LOCK_NB));
    ::flock(fd, LOCK_UN);
    return answer_if(refused == EWOULDBLOCK && ::flock(second.get(), LOCK_EX | LOCK_NB) == 0);
}

int record_lock(int fd)
{
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_len = 4096;
    if (::fcntl(fd, F_SETLK, &lock) != 0) return errno;
    // Only another process is told of it.
    const pid_t child = in_child([&] {
        struct flock wish = lock;
        const bool told = ::fcntl(fd, F_GETLK, &wish) == 0 && wish.l_type == F_WRLCK;
        ::_exit(told ? 0 : 1);
    });
    return answer_if(wait_for(child, 10) == 0);
}

int lease(int fd)
{
    // Who does not own the node is told EACCES before the kernel looks at what it is.
    if (::geteuid() != 0) return EINVAL;
    return answer(::fcntl(fd, F_SETLEASE, F_RDLCK));
}

int ready_by_poll(int fd)
{
    pollfd waiting{fd, POLLIN | POLLOUT, 0};
    const int count = ::poll(&waiting, 1, 0);
    return count < 0 ? errno : answer_if(waiting.revents == (POLLIN | POLLOUT));
}

int ready_by_select(int fd)
{
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(fd, &reading);
    FD_SET(fd, &writing);
    timeval at_once{};
    const int count = ::select(fd + 1, &reading, &writing, nullptr, &at_once);
    return count < 0 ? errno : answer_if(count == 2);
}

int added_to_epoll(int fd)
{
    const file_descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    return answer(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &wanted));
}

int polled_by_libaio(int fd, int events)
{
    aio context;
    auto request = aio::request(fd, IOCB_CMD_POLL, nullptr, 0, 0);
    request.aio_buf = static_cast<unsigned>(events);
    const auto result = context.run(request);
    return result < 0 ? static_cast<int>(-result) : answer_if(result == events);
}

int polled_by_io_uring(int fd)
{
    ring ours(2);
    const int result = ours.run(
        [fd](io_uring_sqe* entry) { io_uring_prep_poll_add(entry, fd, POLLIN | POLLOUT); });
    return result < 0 ? -result : answer_if(result == (POLLIN | POLLOUT));
}

// clang-format off
const std::map<std::string, int (*)(int fd)> calls{
    {"sync_file_range", [](int fd) { return answer(::sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE)); }},
    {"fallocate", [](int fd) { return answer(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096)); }},
    {"ftruncate", [](int fd) { return answer(::ftruncate(fd, 4096)); }},
    {"copy_file_range", copy_file_range_both_ways},
    {"FICLONE", clone_of_the_node},
    {"FS_IOC_FIEMAP", extent_map},
    {"FIBMAP", [](int fd) { return number_by_ioctl(fd, FIBMAP); }},
    {"FIONREAD", [](int fd) { return number_by_ioctl(fd, FIONREAD); }},
    {"FIGETBSZ", [](int fd) { return number_by_ioctl(fd, FIGETBSZ); }},
    {"fstat", size_by_fstat},
    {"statx", alignment_by_statx},
    {"posix_fadvise", [](int fd) { return ::posix_fadvise(fd, 0, 4096, POSIX_FADV_DONTNEED); }},
    {"readahead", [](int fd) { return answer(::readahead(fd, 0, 4096)); }},
    {"open with O_TRUNC", truncation_by_open},
    {"pwritev2 with RWF_ATOMIC", atomic_write},
    {"flock", exclusive_flock},
    {"fcntl F_SETLK", record_lock},
    {"fcntl F_SETLEASE", lease},
    {"poll", ready_by_poll},
    {"select", ready_by_select},
    {"epoll_ctl", added_to_epoll},
    {"libaio IOCB_CMD_POLL", [](int fd) { return polled_by_libaio(fd, POLLIN | POLLOUT); }},
    {"libaio IOCB_CMD_POLL of POLLPRI", [](int fd) { return polled_by_libaio(fd, POLLPRI); }},
    {"io_uring POLL_ADD", polled_by_io_uring},
};
// clang-format on

std::string name_of_errno(int number)
{
    if (number == 0) return "0";
    const char* name = ::strerrorname_np(number);
    return name != nullptr ? name : "wrong";
}

struct row {
    std::string call, answer, instead;
};

std::string without_ticks(std::string text)
{
    text.erase(std::remove(text.begin(), text.end(), '`'), text.end());
    return text;
}

/// The rows between the two markers, without the head of the table.
std::vector<row> documented_rows()
{
    std::ifstream document("tests/ENTRY-PATHS.md");
    std::vector<row> rows;
    std::string line;
    bool inside = false;
    while (std::getline(document, line)) {
        if (line.starts_with("<!-- vfs:")) inside = line.starts_with("<!-- vfs: begin");
        if (!inside || !line.starts_with("| ") || line.starts_with("| call |")) continue;
        const auto second = line.find(" | ", 2), third = line.find(" | ", second + 3);
        REQUIRE(third != std::string::npos);
        rows.push_back({without_ticks(line.substr(2, second - 2)),
                        line.substr(second + 3, third - second - 3), line.substr(third + 3)});
    }
    return rows;
}

/// The attributes that a row sends its reader to: those in ticks, lower case, that are no calls.
std::vector<std::string> attributes_in(const std::string& text)
{
    std::vector<std::string> names;
    for (auto at = text.find("attribute"); at != std::string::npos && at < text.size();) {
        const auto begin = text.find('`', at);
        const auto end = begin == std::string::npos ? begin : text.find('`', begin + 1);
        if (end == std::string::npos) break;
        names.push_back(text.substr(begin + 1, end - begin - 1));
        at = text.compare(end, 6, "` and ") == 0 ? end + 1 : text.find("attribute", end);
    }
    return names;
}

}  // namespace

TEST_CASE_METHOD(device_fixture,
                 "what the kernel answers by itself for a character device is what the table says",
                 "[vfs]")
{
    const auto rows = documented_rows();
    for (const auto& entry : calls) {
        INFO("a call without a row: " << entry.first);
        CHECK(std::count_if(rows.begin(), rows.end(),
                            [&](const row& each) { return each.call == entry.first; }) == 1);
    }
    for (const auto& each : rows) {
        INFO("row: " << each.call);
        REQUIRE(calls.contains(each.call));
        const auto fd = open_node();
        CHECK(name_of_errno(calls.at(each.call)(fd.get())) == each.answer);
        for (const auto& name : attributes_in(each.instead)) {
            INFO("attribute " << name);
            CHECK(std::ifstream(sysfs_path + name).good());
        }
    }
}
