// SPDX-License-Identifier: MIT
// A report as lines for people.
#include <fmt/core.h>

#include "bench/report.hpp"
#include "scullpin/size.hpp"

namespace scullpin::bench {

namespace {

class page {
public:
    explicit page(bool color) : color_(color) {}

    template <typename... Args>
    void line(fmt::format_string<Args...> form, Args&&... values)
    {
        text_ += fmt::format(form, std::forward<Args>(values)...) + "\n";
    }

    [[nodiscard]] std::string bold(const std::string& text) const { return painted("1", text); }
    [[nodiscard]] std::string red(const std::string& text) const { return painted("31", text); }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    [[nodiscard]] std::string painted(const char* how, const std::string& text) const
    {
        return color_ ? fmt::format("\033[{}m{}\033[0m", how, text) : text;
    }

    bool color_;
    std::string text_;
};

std::string describe(const job& what)
{
    auto text = fmt::format("{}, blocks of {}, {}, depth {}, {} job{}", to_string(what.rw),
                            format_size(static_cast<double>(what.block_bytes)),
                            to_string(what.backend), is_immediate(what.backend) ? 1 : what.iodepth,
                            what.numjobs, what.numjobs == 1 ? "" : "s");
    if (reads(what.rw) && writes(what.rw)) text += fmt::format(", {} % reads", read_percent(what));
    if (what.direct) text += ", direct";
    if (what.fixedbufs) text += ", fixed buffers";
    return text;
}

std::string heading()
{
    auto text = fmt::format("    {:4} {:>9}", "", "min");
    for (const auto& point : percentiles) text += fmt::format(" {:>9}", point.title);
    return text + fmt::format(" {:>9} {:>9}", "max", "mean");
}

void add(page& out, const char* name, const std::optional<latency>& measured)
{
    if (!measured) return;
    const auto cell = [](auto ns) {
        return fmt::format(" {:>9}", format_duration(static_cast<double>(ns)));
    };
    auto text = fmt::format("    {:4}", name) + cell(measured->min);
    for (const auto value : measured->at) text += cell(value);
    out.line("{}{}{}", text, cell(measured->max), cell(measured->mean));
}

void add(page& out, const side_report& side)
{
    if (side.operations == 0 && side.errors.empty()) return;
    out.line("  {}: {} requests, {:.0f} IOPS, {}/s", side.name, side.operations, side.iops_per_s,
             format_size(side.bandwidth_bytes_per_s));
    if (side.lat) out.line("{}", heading());
    add(out, "slat", side.slat);
    add(out, "clat", side.clat);
    add(out, "lat", side.lat);
    for (const auto& [name, count] : side.errors)
        out.line("    {}", out.red(fmt::format("{} requests ended with {}", count, name)));
}

std::string times(const std::optional<double>& ratio)
{
    return ratio ? fmt::format("{:.2f}x", *ratio) : "-";
}

void add_comparison(page& out, const report& all)
{
    out.line("{}", out.bold("compared with " + all.paths.front().path));
    out.line("  {:>8} {:>9} {:>9}", "iops", "clat p50", "clat p99");
    for (std::size_t i = 1; i < all.paths.size(); i++)
        for (const auto& side : all.paths[i].sides)
            if (side.operations > 0)
                out.line("  {:>8} {:>9} {:>9}  {} {}", times(side.to_first.iops),
                         times(side.to_first.clat_p50), times(side.to_first.clat_p99), side.name,
                         all.paths[i].path);
}

}  // namespace

std::string to_text(const report& all, bool color)
{
    page out(color);
    out.line("{}", describe(all.what));
    for (const auto& path : all.paths) {
        out.line("{}: {} of {}, {:.2f} s{}", out.bold(path.path),
                 format_size(static_cast<double>(path.span_bytes)), to_string(path.kind),
                 path.seconds, path.aborted ? ", aborted" : "");
        for (const auto& side : path.sides) add(out, side);
    }
    if (all.paths.size() > 1) add_comparison(out, all);
    if (all.overhead_ns) out.line("own overhead: {:.0f} ns per operation", *all.overhead_ns);
    return out.text();
}

}  // namespace scullpin::bench
