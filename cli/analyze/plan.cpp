#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/capacity/scaling_plan.hpp"
#include "analysis/forecast/checked_fit.hpp"
#include "base/durable_file.hpp"
#include "base/limits/cli.hpp"
#include "cli/analyze/analyze.hpp"
#include "cli/analyze/series.hpp"
#include "cli/render/render_analysis.hpp"
#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {

namespace {

namespace capacity = analysis::capacity;
namespace forecast = analysis::forecast;

constexpr double kGibibyte = 1024.0 * 1024 * 1024;
constexpr double kGibibytesMax = 1024 * 1024;
constexpr double kCountMax = 1'000'000;

/// "4:8:120" as so many numbers, none below 0.
Result<std::vector<double>> numbers_in(std::string_view option, const std::string& text, std::size_t count,
                                       std::string_view form) {
    std::vector<double> numbers;
    const auto refuse = [&] {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} \"{}\" is not {}: numbers not below 0, with colons", option, text, form));
    };
    for (const char* at = text.data(); const char* const end = text.data() + text.size();) {
        double number = 0;
        const auto [after, error] = std::from_chars(at, end, number);
        if (error != std::errc() || !std::isfinite(number) || number < 0) return refuse();
        numbers.push_back(number);
        if (after == end) break;
        if (*after != ':') return refuse();
        at = after + 1;
    }
    if (numbers.size() != count) return refuse();
    return numbers;
}

Result<unsigned> whole(std::string_view option, double number) {
    if (number != std::floor(number) || number > kCountMax)
        return fail(ErrorCode::kInvalidArgument, fmt::format("{}: {:g} is not a whole number", option, number));
    return static_cast<unsigned>(number);
}

Result<std::uint64_t> bytes_of(std::string_view option, double gibibytes) {
    if (gibibytes > kGibibytesMax)
        return fail(ErrorCode::kInvalidArgument, fmt::format("{}: {:g} GiB are no memory", option, gibibytes));
    return static_cast<std::uint64_t>(gibibytes * kGibibyte);
}

Result<capacity::PlanOptions> options_of(const ScalingQuestion& question) {
    capacity::PlanOptions options;
    for (const std::string& text : question.sizes) {
        const auto size = TRY(numbers_in("--size", text, 3, "VCPUS:GIB:PER_SECOND"));
        options.sizes.push_back({.vcpus = TRY(whole("--size", size[0])),
                                 .memory_bytes = TRY(bytes_of("--size", size[1])),
                                 .per_second = size[2]});
    }
    const auto hosts = TRY(numbers_in("--hosts", question.hosts, 3, "VCPUS:GIB:COUNT"));
    options.hosts = {.vcpus = TRY(whole("--hosts", hosts[0])),
                     .memory_bytes = TRY(bytes_of("--hosts", hosts[1])),
                     .count = TRY(whole("--hosts", hosts[2]))};
    if (!question.prices.empty()) {
        const auto prices = TRY(numbers_in("--prices", question.prices, 4, "VCPU:GIB:INSTANCE:HOST"));
        options.prices = {.vcpu = prices[0], .gibibyte = prices[1], .instance = prices[2], .host = prices[3]};
    }
    options.policy.hosts_may_fail = question.hosts_may_fail;
    options.policy.lead_time = question.lead_time;
    options.policy.grow_ahead = question.lead_time;
    options.policy.cooldown = question.cooldown;
    return options;
}

/// What runs; where nothing is said of it, what holds the load until the first new one could serve.
Result<std::optional<capacity::Deployment>> running_in(const ScalingQuestion& question,
                                                       const capacity::ScalingPlanner& planner,
                                                       std::span<const double> demand, std::chrono::milliseconds step) {
    if (question.running.empty()) {
        const auto lead = static_cast<std::size_t>(question.lead_time / step) + 1;
        const auto enough = planner.cheapest(std::ranges::max(demand.first(std::min(lead, demand.size()))));
        // where the hosts are too few the plan says so
        return enough ? std::optional(*enough) : std::nullopt;
    }
    const auto parts = TRY(numbers_in("--running", question.running, 3, "SIZE:INSTANCES:HOSTS"));
    const unsigned place = TRY(whole("--running", parts[0]));
    if (place < 1 || place > question.sizes.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("--running: there is no size {}, only 1 to {}", place, question.sizes.size()));
    }
    return std::optional(
        planner.deployment(place - 1, TRY(whole("--running", parts[1])), TRY(whole("--running", parts[2]))));
}

double last_known(const forecast::History& history) {
    const auto last =
        std::find_if(history.values.rbegin(), history.values.rend(), [](double value) { return std::isfinite(value); });
    return last == history.values.rend() ? 0 : std::max(0.0, *last);
}

Result<void> draw(const forecast::History& history, const PlanFindings& findings, const std::filesystem::path& svg) {
    Chart chart{.title = "what runs against what is expected", .unit = "/s", .lines = {}, .bands = {}, .spans = {}};
    ChartLine demand{
        .name = fmt::format("{:g} % of the forecast", 100 * findings.quantile), .css_class = "median", .points = {}};
    ChartLine runs{.name = "held by the plan", .css_class = "treated", .points = {}};
    for (std::size_t i = 0; i < findings.plan.steps.size(); ++i) {
        demand.points.push_back({findings.at[i], findings.demand[i]});
        runs.points.push_back({findings.at[i], findings.plan.steps[i].per_second});
    }
    chart.lines = {measured_line(history), std::move(demand), std::move(runs)};
    return write_file_durably(svg, svg_file_of(chart), limits::kDrawingMode);
}

}  // namespace

Result<ExitCode> analyze_plan(Session& session, const ScalingQuestion& question) {
    const forecast::History history = TRY(history_in(question.series));
    const std::size_t steps = TRY(steps_of(question.series.horizon, history));
    forecast::ForecastOptions options = TRY(options_for(history, question.series));
    options.quantiles = {question.quantile};
    options.horizon = steps;
    const forecast::ForecastResult foretold = TRY(forecast::fit_checked(history, options)).forecast(steps);
    PlanFindings findings{.options = TRY(options_of(question)), .quantile = question.quantile};
    for (const forecast::ForecastStep& step : foretold.steps) {
        findings.at.push_back(step.at);
        findings.demand.push_back(std::max(0.0, step.values[0]));
    }
    const auto planner = TRY(capacity::ScalingPlanner::make(findings.options));
    findings.plan = TRY(planner.plan({.demand = findings.demand,
                                      .step = history.step,
                                      .observed = last_known(history),
                                      .standing = TRY(running_in(question, planner, findings.demand, history.step)),
                                      .quantile = question.quantile}));
    findings.forecast = foretold.explanation;
    if (!question.svg.empty()) TRY(draw(history, findings, question.svg));
    session.print(render(findings, session.format));
    return findings.plan.short_steps > 0 ? ExitCode::kFailed : ExitCode::kDone;
}

}  // namespace penumbra::cli
