// SPDX-License-Identifier: MIT
#include "module.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <catch_amalgamated.hpp>

namespace {

const std::vector<char>& image()
{
    static const std::vector<char> bytes = [] {
        const char* path = std::getenv("SCULLPIN_KO");
        REQUIRE(path != nullptr);
        std::ifstream file(path, std::ios::binary);
        std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
        REQUIRE(!content.empty());
        return content;
    }();
    return bytes;
}

}  // namespace

int module::load(const std::string& parameters)
{
    return ::syscall(SYS_init_module, image().data(), image().size(), parameters.c_str()) != 0
               ? -errno
               : 0;
}

int module::unload()
{
    return ::syscall(SYS_delete_module, "scullpin", O_NONBLOCK) != 0 ? -errno : 0;
}

int module::unload_soon()
{
    int result = 0;
    // No pause: this is the call that must not come too early for the module.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while ((result = unload()) == -EWOULDBLOCK && std::chrono::steady_clock::now() < deadline) {}
    return result;
}

bool module::is_loaded()
{
    return std::filesystem::exists("/sys/module/scullpin");
}

int module::rounds(int stock)
{
    const char* kernel = std::getenv("SCULLPIN_KERNEL");
    const std::string name = kernel != nullptr ? kernel : "";
    return name == "debug" || name == "kcsan" ? 3 : stock;
}

module_fixture::module_fixture()
{
    if (module::is_loaded()) REQUIRE(module::unload_soon() == 0);
}

module_fixture::~module_fixture()
{
    if (module::is_loaded()) CHECK(module::unload_soon() == 0);
    CHECK(module::load() == 0);
}
