// SPDX-License-Identifier: MIT
#include <cstdio>
#include <iostream>

#include <fmt/core.h>

#include "options.hpp"
#include "scullpin/error.hpp"

namespace {

using namespace scullpin;
using namespace scullpin::cli;

int run(int argc, char** argv)
{
    CLI::App app{"Direct and asynchronous I/O on any node or file", "scullpin"};
    int status = ok;
    app.set_version_flag("--version", SCULLPIN_VERSION);
    app.require_subcommand(1);
    add_list(app, status);
    add_create(app, status);
    add_set(app, status);
    add_remove(app, status);
    add_info(app, status);
    add_read(app, status);
    add_write(app, status);
    add_copy(app, status);
    add_verify(app, status);
    add_stress(app, status);
    add_bench(app, status);
    add_ping(app, status);
    add_modes(app, status);
    add_overlap(app, status);
    add_stat(app, status);
    add_trace(app, status);
    add_doctor(app, status);
    add_completion(app, status);
    add_manual(app, status);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? int(ok) : int(usage);
    }
    return status;
}

}  // namespace

int main(int argc, char** argv)
{
    install_signal_handlers();
    try {
        const int status = run(argc, argv);
        // An answer that did not arrive is none.
        if (std::fflush(stdout) != 0 || !std::cout.flush()) throw_errno("write the answer");
        return status;
    } catch (const usage_error& error) {
        fmt::print(stderr, "scullpin: {}\n", error.what());
        return usage;
    } catch (const unavailable_error& error) {
        fmt::print(stderr, "scullpin: {}\n", error.what());
        return skipped;
    } catch (const open_error& error) {
        fmt::print(stderr, "scullpin: {}\n", error.what());
        return status_of(error);
    } catch (const std::exception& error) {
        fmt::print(stderr, "scullpin: {}\n", error.what());
        return failure;
    }
}
