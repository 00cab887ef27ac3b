#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/capacity/load_curve.hpp"
#include "analysis/capacity/scaling_law.hpp"
#include "analysis/forecast/backtest.hpp"
#include "analysis/forecast/forecaster.hpp"
#include "analysis/judge/kayenta_v1.hpp"
#include "cli/render/render.hpp"

/// What `penumbra analyze` prints. Pure.
namespace penumbra::cli {

/// A long forecast as a table shows every so many steps and each quantile's peak; as JSON all of it.
[[nodiscard]] std::string render(const analysis::forecast::ForecastResult& forecast, Format format);
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
};
[[nodiscard]] std::string render(const CapacityFindings& findings, Format format);

}  // namespace penumbra::cli
