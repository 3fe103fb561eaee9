// SPDX-License-Identifier: MIT
// Catch2's results as the project's test lines: `ok|FAIL|skip NAME (12 ms) [reason]`, one a test
// case, the details of a failure indented below it. Lines appear at once, and also in
// $SCULLPIN_TEST_LINES, so that a run that is lost later still tells how far it came.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <catch_amalgamated.hpp>
#include <fmt/core.h>

namespace {

class line_reporter : public Catch::StreamingReporterBase {
public:
    explicit line_reporter(Catch::ReporterConfig&& config)
        : StreamingReporterBase(std::move(config))
    {
        if (const char* path = std::getenv("SCULLPIN_TEST_LINES")) {
            lines_ = std::fopen(path, "ae");
            // Results that nobody counts are worse than none.
            if (lines_ == nullptr)
                throw std::runtime_error(fmt::format("cannot write to {}", path));
        }
        if (const char* suffix = std::getenv("SCULLPIN_TEST_SUFFIX")) suffix_ = suffix;
    }

    ~line_reporter() override
    {
        if (lines_ != nullptr) std::fclose(lines_);
    }

    static std::string getDescription() { return "one line a test case"; }

    void testCaseStarting(const Catch::TestCaseInfo& info) override
    {
        StreamingReporterBase::testCaseStarting(info);
        begun_ = clock::now();
        details_.clear();
        skip_reason_.clear();
    }

    void assertionEnded(const Catch::AssertionStats& stats) override
    {
        const auto& result = stats.assertionResult;
        if (result.getResultType() == Catch::ResultWas::ExplicitSkip) {
            skip_reason_ = std::string(result.getMessage());
            return;
        }
        if (result.isOk()) return;
        const auto where = result.getSourceInfo();
        details_ += fmt::format("    {}:{}: {}\n", where.file, where.line,
                                result.hasExpression() ? result.getExpressionInMacro()
                                                       : std::string(result.getMessage()));
        if (result.hasExpandedExpression())
            details_ += fmt::format("        {}\n", result.getExpandedExpression());
        for (const auto& message : stats.infoMessages)
            details_ += fmt::format("        {}\n", message.message);
    }

    void testCaseEnded(const Catch::TestCaseStats& stats) override
    {
        const auto elapsed =
            std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begun_);
        const auto& counts = stats.totals.assertions;
        const bool failed = counts.failed > 0;
        const bool skipped = !failed && counts.skipped > 0;
        auto line = fmt::format("{} {}{} ({} ms)",
                                failed    ? "FAIL"
                                : skipped ? "skip"
                                          : "ok",
                                stats.testInfo->name, suffix_, elapsed.count());
        if (skipped) line += " " + skip_reason_;
        put(line + "\n" + details_);
        StreamingReporterBase::testCaseEnded(stats);
    }

private:
    using clock = std::chrono::steady_clock;

    void put(const std::string& text)
    {
        for (std::FILE* file : {stdout, lines_}) {
            if (file == nullptr) continue;
            std::fputs(text.c_str(), file);
            std::fflush(file);
        }
    }

    std::FILE* lines_ = nullptr;
    clock::time_point begun_;
    std::string suffix_;  ///< tells runs of one suite under several configurations apart
    std::string details_;
    std::string skip_reason_;
};

CATCH_REGISTER_REPORTER("lines", line_reporter)

}  // namespace
