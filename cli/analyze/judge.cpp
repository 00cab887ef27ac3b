#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/histogram_log.hpp"
#include "analysis/judge/kayenta_v1.hpp"
#include "analysis/judge/lab_v1.hpp"
#include "base/durable_file.hpp"
#include "base/limits/cli.hpp"
#include "cli/analyze/analyze.hpp"
#include "cli/analyze/arm_csv.hpp"
#include "cli/render/render_analysis.hpp"
#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {

namespace {

namespace judge = analysis::judge;
using model::VerdictKind;

constexpr std::chrono::seconds kWindow{10};
constexpr double kPassScore = 95;  // the thresholds that judge's users start with
constexpr double kMarginalScore = 75;
constexpr std::string_view kMeanName = "response_time_mean";
constexpr std::string_view kResponseTimes = "response_ms";

struct File {
    std::string name;
    std::string text;
};

Result<std::vector<File>> files_of(const JudgeQuestion& question) {
    std::vector<File> files;
    for (const std::string& name : question.files) {
        const std::filesystem::path file(name);
        files.push_back({file.filename().native(), TRY(read_file(file, limits::kAnalyzeCsvBytesMax))});
    }
    return files;
}

Result<ArmTable> tables_in(const std::vector<File>& files, const std::string& column) {
    if (files.size() == 1) return parse_arms(files[0].name, files[0].text, column, nullptr);
    const ArmName control = ArmName::kControl;
    const ArmName treated = ArmName::kTreated;
    ArmTable both = TRY(parse_arms(files[0].name, files[0].text, column, &control));
    ArmTable second = TRY(parse_arms(files[1].name, files[1].text, column, &treated));
    if (both.value_name != second.value_name || both.has_errors != second.has_errors) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} has the values {}{} and {} the values {}{}: the arms need the same columns",
                                files[0].name, both.value_name, both.has_errors ? " and errors" : "", files[1].name,
                                second.value_name, second.has_errors ? " and errors" : ""));
    }
    both.rows.insert(both.rows.end(), second.rows.begin(), second.rows.end());
    return both;
}

Result<ArmWindows> logs_in(const std::vector<File>& files) {
    ArmWindows windows;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const ArmName arm = i == 0 ? ArmName::kControl : ArmName::kTreated;
        const auto intervals = TRY(analysis::parse_hdr_log(files[i].name, files[i].text));
        Result<ArmWindows> own = windows_of(intervals, files.size() == 1 ? nullptr : &arm);
        if (!own) return fail_in(files[i].name, std::move(own.error()));
        for (std::size_t k = 0; k < 2; ++k)
            windows.after[k].insert(windows.after[k].end(), own->after[k].begin(), own->after[k].end());
    }
    return windows;
}

/// Each arm's first window becomes the beginning.
void align(ArmWindows& windows) {
    for (auto& arm : windows.after) {
        const WallTime first = arm.empty() ? WallTime{} : arm.front().begin;
        for (model::KpiWindow& window : arm)
            window.begin -= first.time_since_epoch();
    }
}

/// What decides: the mean of plain values; of response times also their 95 % quantile; errors where there are any.
judge::LabRules rules_for(bool are_responses, bool has_errors, const JudgeQuestion& question) {
    judge::LabRules rules{.alpha_pass = 1 - question.confidence};
    for (judge::KpiRule rule : judge::default_kpis()) {
        const bool is_rate = rule.kpi == judge::Kpi::kErrorRate;
        if (question.margin > 0 && !is_rate) rule.margin = question.margin;
        const bool has_data = rule.kpi == judge::Kpi::kResponseTimeMean || (is_rate && has_errors) ||
                              (rule.kpi == judge::Kpi::kResponseTimeP95 && are_responses);
        if (has_data) rules.kpis.push_back(rule);
    }
    return rules;
}

/// Whether the arms' windows have a time in common; of arms measured one after the other no window has a twin.
bool overlap(const ArmWindows& windows) {
    const auto& [control, treated] = windows.after;
    if (control.empty() || treated.empty()) return true;  // the judge says what is missing
    return control.front().begin <= treated.back().begin && treated.front().begin <= control.back().begin;
}

/// The evidence in the words of the file it came from.
void rename_mean(model::Verdict& verdict, const std::string& name) {
    const auto in = [&](std::string& text) {
        const std::size_t at = text.find(kMeanName);
        if (at != std::string::npos) text.replace(at, kMeanName.size(), name);
    };
    in(verdict.reason);
    for (model::KpiEvidence& evidence : verdict.evidence) {
        in(evidence.kpi);
        in(evidence.reason);
    }
}

Result<void> draw(const ArmTable& table, const std::filesystem::path& svg) {
    Chart chart{.title = table.value_name + " of both arms", .unit = table.value_name};
    for (const ArmName arm : {ArmName::kControl, ArmName::kTreated}) {
        const std::string name = arm == ArmName::kControl ? "control" : "treated";
        ChartLine line{.name = name, .css_class = name, .points = {}};
        for (const ArmRow& row : table.rows) {
            if (row.arm == arm) line.points.push_back({row.at, row.value});
        }
        std::ranges::stable_sort(line.points, {}, &ChartPoint::at);
        chart.lines.push_back(std::move(line));
    }
    return write_file_durably(svg, svg_file_of(chart), limits::kDrawingMode);
}

KayentaJudgement judge_as_kayenta(const ArmTable& table) {
    const auto known = [](const std::vector<double>& values) {
        return static_cast<std::size_t>(std::ranges::count_if(values, [](double v) { return std::isfinite(v); }));
    };
    const std::vector<double> control = values_of(table, ArmName::kControl);
    const std::vector<double> treated = values_of(table, ArmName::kTreated);
    KayentaJudgement judgement;
    judgement.metrics.push_back(
        {.name = table.value_name,
         .result = judge::kayenta_classify({.direction = judge::KayentaDirection::kIncrease}, treated, control),
         .control = known(control),
         .treated = known(treated)});
    const auto label = judgement.metrics.front().result.label;
    const std::vector<judge::KayentaScored> scored{{.label = label, .critical = false, .groups = {"all"}}};
    judgement.score = judge::kayenta_score(scored, {});
    const bool without = label == judge::KayentaLabel::kNodata || label == judge::KayentaLabel::kError;
    judgement.kind = without                            ? VerdictKind::kInvalid
                     : judgement.score >= kPassScore    ? VerdictKind::kPass
                     : judgement.score < kMarginalScore ? VerdictKind::kFail
                                                        : VerdictKind::kInconclusive;
    judgement.reason = fmt::format(
        "{} is labelled {}; PASS from a score of {:g}, FAIL below {:g}; no error rate is "
        "known of this judge",
        table.value_name, to_string(label), kPassScore, kMarginalScore);
    return judgement;
}

Result<model::Verdict> judge_windows(const ArmWindows& windows, const judge::LabRules& rules) {
    if (!overlap(windows)) {
        return fail(ErrorCode::kInvalidArgument,
                    "the arms were not measured at the same time, and lab-v1 compares window by window: --align takes "
                    "each one's first row as its beginning");
    }
    return judge::judge_twins(rules, {.before = {.control = windows.before[0], .treated = windows.before[1]},
                                      .after = {.control = windows.after[0], .treated = windows.after[1]}});
}

Result<model::Verdict> judge_rows(const ArmTable& table, const JudgeQuestion& question) {
    const bool are_responses = table.value_name == kResponseTimes;
    std::chrono::milliseconds length = question.window;
    if (length.count() == 0) length = are_responses ? kWindow : usual_distance(table);
    if (length.count() == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "the control arm has fewer than two different times, so there is no window: name one with "
                    "--window");
    }
    const ArmWindows windows = TRY(windows_of(table, length, question.align));
    model::Verdict verdict = TRY(judge_windows(windows, rules_for(are_responses, table.has_errors, question)));
    if (!are_responses) rename_mean(verdict, table.value_name);
    return verdict;
}

Result<ExitCode> answer(Session& session, const Result<model::Verdict>& judged) {
    const model::Verdict verdict = TRY(judged);
    session.print(render(verdict, session.format));
    return exit_code(verdict.kind);
}

}  // namespace

Result<ExitCode> analyze_judge(Session& session, const JudgeQuestion& question) {
    const std::vector<File> files = TRY(files_of(question));
    if (analysis::looks_like_hdr_log(files.front().text)) {
        if (question.judge == JudgeQuestion::Judge::kKayentaV1 || !question.svg.empty())
            return fail(ErrorCode::kInvalidArgument,
                        "a histogram log has no single values: only lab-v1 judges it, undrawn");
        ArmWindows windows = TRY(logs_in(files));
        if (question.align) align(windows);
        return answer(session, judge_windows(windows, rules_for(true, false, question)));
    }
    const ArmTable table = TRY(tables_in(files, question.column));
    if (!question.svg.empty()) TRY(draw(table, question.svg));
    if (question.judge == JudgeQuestion::Judge::kKayentaV1) {
        const KayentaJudgement judgement = judge_as_kayenta(table);
        session.print(render(judgement, session.format));
        return exit_code(judgement.kind);
    }
    return answer(session, judge_rows(table, question));
}

}  // namespace penumbra::cli
