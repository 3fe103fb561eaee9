// SPDX-License-Identifier: MIT
#include "memory_group.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "scullpin/error.hpp"
#include "scullpin/file_descriptor.hpp"

namespace scullpin::stress {

namespace {

using namespace std::chrono_literals;

void write_setting(const std::string& path, const std::string& text)
{
    // Without O_CREAT: where this is no cgroup there shall be no such file.
    const auto file = file_descriptor::open(path, O_WRONLY);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        throw_errno("write " + text + " to " + path);
}

bool has_word(const std::string& path, const std::string& wanted)
{
    std::ifstream file(path);
    for (std::string word; file >> word;)
        if (word == wanted) return true;
    return false;
}

/// The memory controller for the groups below a root, switched on while somebody holds it.
class memory_controller {
public:
    explicit memory_controller(const std::string& root) : switch_(root + "/cgroup.subtree_control")
    {
        struct statfs status {};
        if (::statfs(root.c_str(), &status) != 0) throw_errno("statfs " + root);
        if (status.f_type != CGROUP2_SUPER_MAGIC) throw_error(ENOTSUP, root + " is no cgroup2");
        was_on_ = has_word(switch_, "memory");
        if (!was_on_) write_setting(switch_, "+memory");
    }
    ~memory_controller()
    {
        try {
            if (!was_on_) write_setting(switch_, "-memory");
        } catch (const std::system_error&) {  // somebody else needs it by now
        }
    }
    memory_controller(const memory_controller&) = delete;
    memory_controller& operator=(const memory_controller&) = delete;

private:
    std::string switch_;
    bool was_on_ = false;
};

/// The one that is held, or a new one.
std::shared_ptr<const void> hold_controller(const std::string& root)
{
    static std::mutex lock;
    static std::map<std::string, std::weak_ptr<const void>> held;
    const std::lock_guard hold(lock);
    auto controller = held[root].lock();
    if (!controller) held[root] = controller = std::make_shared<memory_controller>(root);
    return controller;
}

/// A process that has ended may be in its group for a moment.
void remove_group(const std::string& path)
{
    for (int tries = 0; ::rmdir(path.c_str()) != 0 && errno == EBUSY && tries < 1000; tries++)
        std::this_thread::sleep_for(1ms);
}

}  // namespace

memory_group::memory_group(const std::string& root, std::size_t bytes)
    : controller_(hold_controller(root)), path_(root + "/scullpin-stress-XXXXXX")
{
    if (::mkdtemp(path_.data()) == nullptr) throw_errno("make a cgroup in " + root);
    try {
        write_setting(path_ + "/memory.high", std::to_string(bytes));
    } catch (...) {
        remove_group(path_);
        throw;
    }
}

memory_group::~memory_group()
{
    remove_group(path_);
}

std::uint64_t memory_group::shortages() const
{
    std::ifstream file(path_ + "/memory.events");
    std::string name;
    for (std::uint64_t count = 0; file >> name >> count;)
        if (name == "high") return count;
    return 0;
}

}  // namespace scullpin::stress
