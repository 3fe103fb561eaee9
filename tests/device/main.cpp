// SPDX-License-Identifier: MIT
// The tests that need the device, in the VM. With SCULLPIN_TEST_UID they run as that user; only
// `control` stays root.
#include <cstdlib>

#include <catch_amalgamated.hpp>

#include "control.hpp"

int main(int argc, char** argv)
{
    const char* uid = std::getenv("SCULLPIN_TEST_UID");
    control::start(uid != nullptr ? static_cast<uid_t>(std::strtoul(uid, nullptr, 10)) : 0);
    Catch::Session session;
    session.configData().reporterSpecifications.push_back({"lines", {}, {}, {}});
    const int status = session.applyCommandLine(argc, argv);
    return status != 0 ? status : session.run();
}
