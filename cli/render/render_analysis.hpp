#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/capacity/load_curve.hpp"
#include "analysis/capacity/scaling_law.hpp"
#include "analysis/capacity/scaling_plan.hpp"
#include "analysis/capacity/trial_advice.hpp"
#include "analysis/forecast/backtest.hpp"
#include "analysis/forecast/forecaster.hpp"
#include "analysis/forecast/joint.hpp"
#include "analysis/judge/kayenta_v1.hpp"
#include "cli/render/render.hpp"

/// What `penumbra analyze` prints. Pure.
namespace penumbra::cli {

/// A long forecast as a table shows every so many steps and each quantile's peak; as JSON all of it.
[[nodiscard]] std::string render(const analysis::forecast::ForecastResult& forecast, Format format);
/// The sum as the forecast above, and each part's peaks; `names` are the parts'.
[[nodiscard]] std::string render(const analysis::forecast::JointForecast& joint, const std::vector<std::string>& names,
                                 Format format);
[[nodiscard]] std::string render(const analysis::forecast::Backtest& test, Format format);

/// The judge that Spinnaker's users know: a label a metric, and the score.
struct KayentaJudgement {
    struct Metric {
        std::string name;
        analysis::judge::KayentaResult result;
        std::size_t control = 0;  ///< values that are there
        std::size_t treated = 0;
    };
    std::vector<Metric> metrics;
    double score = 0;
    model::VerdictKind kind = model::VerdictKind::kInvalid;
    std::string reason;
};
[[nodiscard]] std::string render(const KayentaJudgement& judgement, Format format);

/// Load curves by size (0: the file names none), and what the sizes together say of another one.
struct CapacityFindings {
    std::vector<std::pair<double, analysis::capacity::LoadCurve>> curves;
    std::optional<analysis::capacity::ScalingLaw> law;  ///< over sizes
    double asked_size = 0;
    std::optional<analysis::capacity::ScaleAnswer> answer;  ///< for it
    std::vector<analysis::capacity::NextStep> next_steps;   ///< the most telling first
    std::optional<analysis::capacity::ShadowSizeAdvice> shadow_size;
};
[[nodiscard]] std::string render(const CapacityFindings& findings, Format format);

/// A scaling plan over a forecast.
struct PlanFindings {
    analysis::capacity::PlanOptions options;
    double quantile = 0;
    std::vector<WallTime> at;    ///< each step
    std::vector<double> demand;  ///< in it
    analysis::capacity::ScalingPlan plan;
    std::string forecast;  ///< its explanation
};
[[nodiscard]] std::string render(const PlanFindings& findings, Format format);

}  // namespace penumbra::cli
