// SPDX-License-Identifier: MIT
// What doctor says of machines that are not this one.
#include <cerrno>
#include <functional>

#include <catch_amalgamated.hpp>
#include <nlohmann/json.hpp>

#include "cli/checks.hpp"
#include "command.hpp"

namespace {

using namespace scullpin::cli;

/// A machine of a user who is not root, to whom nothing is missing.
machine healthy()
{
    machine here;
    here.kernel = "6.1.0";
    here.module_loaded = true;
    here.device_exists = true;
    here.device_number = "240:0";
    here.io_uring_disabled = 0;
    here.aio_used = 0;
    here.aio_max = 65536;
    here.memlock_bytes = 8 * 1024 * 1024;
    here.huge_total = 8;
    here.huge_free = 8;
    here.thp = "madvise";
    here.gnuplot = "/usr/bin/gnuplot";
    return here;
}

const check& row_of(const std::string& name)
{
    for (const auto& row : all_checks())
        if (row.name == name) return row;
    throw std::runtime_error("no check " + name);
}

void no_device(machine& here)
{
    here.module_loaded = false;
    here.device_exists = false;
    here.device_number.reset();
    here.access_error = ENOENT;
}

struct trouble {
    const char* name;  ///< of the check
    std::function<void(machine&)> happens;
    state what;
    const char* mend;
};

const trouble troubles[] = {
    {"module", no_device, state::missing, "make vm"},
    {"module", [](machine& m) { no_device(m), m.module_installed = true; }, state::missing,
     "sudo modprobe scullpin"},
    {"module", [](machine& m) { no_device(m), m.headers = true; }, state::missing,
     "make kmod KDIR=/lib/modules/6.1.0/build && sudo modprobe configfs && "
     "sudo insmod kmod/scullpin.ko"},
    {"node", no_device, state::missing, "make vm"},
    {"node", [](machine& m) { m.device_exists = false; }, state::missing,
     "sudo mknod -m 600 /dev/scullpin0 c 240 0"},
    {"node", [](machine& m) { m.device_is_file = true; }, state::broken, "sudo rm /dev/scullpin0"},
    {"node", [](machine& m) { no_device(m), m.device = "/dev/other"; }, state::missing, "ls /dev"},
    {"access", [](machine& m) { m.access_error = EACCES; }, state::broken,
     "sudo chown \"$(id -un)\" /dev/scullpin0"},
    {"access", no_device, state::missing, "make vm"},
    {"io_uring", [](machine& m) { m.io_uring_error = ENOSYS; }, state::missing, "make vm"},
    {"io_uring", [](machine& m) { m.io_uring_error = EPERM, m.io_uring_disabled = 2; },
     state::broken, "sudo sysctl kernel.io_uring_disabled=0"},
    {"io_uring", [](machine& m) { m.io_uring_error = EPERM; }, state::broken, "make vm"},
    {"io_uring", [](machine& m) { m.io_uring_error = ENOMEM; }, state::broken,
     "sudo prlimit --pid $$ --memlock=unlimited"},
    {"libaio", [](machine& m) { m.aio_error = ENOSYS; }, state::missing, "make vm"},
    {"libaio", [](machine& m) { m.aio_error = EAGAIN, m.aio_used = 65536; }, state::broken,
     "sudo sysctl fs.aio-max-nr=1048576"},
    {"libaio", [](machine& m) { m.aio_error = EAGAIN, m.aio_max = 1048576; }, state::broken,
     "sudo sysctl fs.aio-max-nr=2097152"},
    {"memlock", [](machine& m) { m.memlock_bytes = 65536; }, state::broken,
     "sudo prlimit --pid $$ --memlock=unlimited"},
    {"hugetlb", [](machine& m) { m.huge_total = m.huge_free = 0; }, state::missing,
     "sudo sysctl vm.nr_hugepages=16"},
    {"hugetlb", [](machine& m) { m.huge_free = 0; }, state::broken,
     "sudo sysctl vm.nr_hugepages=24"},
    {"hugetlb", [](machine& m) { m.huge_total.reset(); }, state::missing, "make vm"},
    {"thp", [](machine& m) { m.thp = "never"; }, state::missing,
     "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"},
    {"thp", [](machine& m) { m.thp.reset(); }, state::missing, "make vm"},
    {"gnuplot", [](machine& m) { m.gnuplot.reset(); }, state::missing,
     "sudo apt-get install --no-install-recommends gnuplot-nox"},
};

}  // namespace

TEST_CASE("doctor finds nothing to mend where nothing is missing")
{
    for (const auto& row : all_checks()) {
        CAPTURE(row.name);
        const auto found = row.look(healthy());
        CHECK(found.what == state::ok);
        CHECK(found.mend.empty());
        CHECK(!found.detail.empty());
    }
}

TEST_CASE("doctor names the one command that mends each trouble")
{
    for (const auto& [name, happens, what, mend] : troubles) {
        auto here = healthy();
        happens(here);
        const auto found = row_of(name).look(here);
        CAPTURE(name, found.detail);
        CHECK(to_string(found.what) == std::string(to_string(what)));
        CHECK(found.mend == mend);
        CHECK(!found.detail.empty());
    }
}

TEST_CASE("doctor has a trouble in these tests for each of its checks")
{
    for (const auto& row : all_checks()) {
        CAPTURE(row.name);
        CHECK(std::any_of(std::begin(troubles), std::end(troubles), [&row](const trouble& each) {
            return each.name == std::string(row.name);
        }));
    }
}

TEST_CASE("doctor does not tell root to use sudo")
{
    for (const auto& [name, happens, what, mend] : troubles) {
        auto here = healthy();
        happens(here);
        here.root = true;
        CAPTURE(name, mend);
        CHECK(row_of(name).look(here).mend.find("sudo") == std::string::npos);
    }
}

TEST_CASE("a limit on locked memory does not matter to those whom it does not bind")
{
    auto here = healthy();
    here.memlock_bytes = 0;
    here.memlock_free = true;
    CHECK(row_of("memlock").look(here).what == state::ok);
}

TEST_CASE("the node is required with --device, the module for a node of that name")
{
    const auto required = [](const machine& here) {
        std::string names;
        for (const auto& row : all_checks())
            if (row.required(here)) names += std::string(row.name) + " ";
        return names;
    };
    auto here = healthy();
    CHECK(required(here) == "io_uring libaio ");
    here.device_asked = true;
    CHECK(required(here) == "module node access io_uring libaio ");
    here.device = "/dev/xdma0_h2c_0";
    CHECK(required(here) == "node access io_uring libaio ");
}

TEST_CASE("doctor exits 6 for a device that is not there, and only then for a usable one")
{
    const auto document = [](const std::string& arguments, int& status) {
        const auto result = run("doctor --json " + arguments);
        status = result.status;
        return nlohmann::json::parse(result.output);
    };
    int status = 0;
    const int without_device = document("", status)["required_missing"];
    CHECK(status == (without_device == 0 ? 0 : 6));
    CHECK(document("--device /dev/null", status)["required_missing"] == without_device);
    CHECK(status == (without_device == 0 ? 0 : 6));
    CHECK(document("--device /nonexistent/node", status)["required_missing"] == without_device + 2);
    CHECK(status == 6);
}

TEST_CASE("doctor looks for gnuplot in PATH")
{
    const auto result = run_shell("PATH=/nonexistent " SCULLPIN_COMMAND " doctor --json");
    const auto checks = nlohmann::json::parse(result.output)["checks"];
    CHECK(checks.back()["name"] == "gnuplot");
    CHECK(checks.back()["state"] == "missing");
}
