// SPDX-License-Identifier: MIT
// The main() of every test program: Catch2's own options, with the project's lines as the default
// reporter. A run without a test is a failure.
#include <catch_amalgamated.hpp>

int main(int argc, char** argv)
{
    Catch::Session session;
    session.configData().reporterSpecifications.push_back({"lines", {}, {}, {}});
    const int status = session.applyCommandLine(argc, argv);
    return status != 0 ? status : session.run();
}
