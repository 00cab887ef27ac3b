#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace penumbra::analysis::judge {

/// The canary judge that Spinnaker's users know (NetflixACAJudge-v1.0), label for label, for those who move over. Its
/// faults are part of it: no error rate is stated, errors count as nothing, and its root finder's absolute tolerance of
/// 1e-4 decides some labels. `lab-v1` is what to trust.
enum class KayentaLabel : std::uint8_t { kPass, kHigh, kLow, kNodata, kNodataFailMetric, kError };
/// "Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error".
[[nodiscard]] std::string_view to_string(KayentaLabel label) noexcept;
[[nodiscard]] Result<KayentaLabel> kayenta_label_from_string(std::string_view name);

enum class KayentaDirection : std::uint8_t { kIncrease, kDecrease, kEither };
enum class KayentaNan : std::uint8_t { kRemove, kReplace };  ///< a value that is not there: leave it out, or 0
enum class KayentaEffect : std::uint8_t { kMeanRatio, kCles };

struct KayentaMetric {
    KayentaDirection direction = KayentaDirection::kEither;
    KayentaNan nan_strategy = KayentaNan::kRemove;
    KayentaEffect effect = KayentaEffect::kMeanRatio;
    bool critical = false;
    bool must_have_data = false;
    bool remove_outliers = false;
    double outlier_factor = 3.0;
    double tolerance = 0.25;
    double confidence = 0.98;
    double allowed_increase = 1, allowed_decrease = 1;
    double critical_increase = 1, critical_decrease = 1;
    std::uint64_t seed = 1;  ///< of the noise that constant series are given
};

struct KayentaResult {
    KayentaLabel label = KayentaLabel::kError;
    bool critical = false;  ///< fails the whole judgement
    double effect = 1;      ///< ratio of the means, or CLES; NaN where a mean is 0
    double low = 0;         ///< of the shift, as the root finder left it
    double high = 0;
    double estimate = 0;
};

/// Labels one metric; NaN marks a value that is not there. O((m + n) log(m + n)) a root's step.
[[nodiscard]] KayentaResult kayenta_classify(const KayentaMetric& metric, std::span<const double> canary,
                                             std::span<const double> baseline);

/// Shift between two samples by inverting Mann and Whitney's statistic with R's zeroin to an absolute 1e-4, as that
/// judge does. Errors: kInvalidArgument for an empty sample, or when all values are tied at some shift that is tried.
struct KayentaShift {
    double low = 0;
    double high = 0;
    double estimate = 0;
};
[[nodiscard]] Result<KayentaShift> kayenta_shift(std::span<const double> x, std::span<const double> y,
                                                 double confidence);
/// (rank sum of x - shift mu, centred and continuity-corrected) / its deviation - quantile; NaN when all are tied.
[[nodiscard]] double kayenta_wilcoxon(std::span<const double> x, std::span<const double> y, double mu, double quantile);

/// mean(x) / mean(y); NaN when either is 0.
[[nodiscard]] double kayenta_mean_ratio(std::span<const double> x, std::span<const double> y) noexcept;
/// Share of pairs in which x is the larger, ties by half.
[[nodiscard]] double kayenta_cles(std::span<const double> x, std::span<const double> y);
/// Values without those outside min(P1, Q1 - f IQR) .. max(P99, Q3 + f IQR); `reduce_sensitivity` false uses the plain
/// fences.
[[nodiscard]] std::vector<bool> kayenta_outliers(std::span<const double> values, double factor,
                                                 bool reduce_sensitivity);

struct KayentaScored {
    KayentaLabel label = KayentaLabel::kPass;
    bool critical = false;
    std::vector<std::string> groups;
};
/// Score of a judgement, 0..100 with two decimals; groups without a weight share what the others leave.
[[nodiscard]] double kayenta_score(std::span<const KayentaScored> metrics,
                                   const std::map<std::string, double>& weights);

}  // namespace penumbra::analysis::judge
