#include "analysis/judge/kayenta_v1.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include <fmt/core.h>

#include "analysis/random.hpp"
#include "analysis/statistics/normal.hpp"
#include "analysis/statistics/sample.hpp"

namespace penumbra::analysis::judge {

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr double kRootTolerance = 1e-4;  ///< absolute: it is part of the labels
constexpr int kRootStepsMax = 1001;
constexpr std::array<std::string_view, 6> kLabels = {"Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"};

std::vector<double> without_nan(std::span<const double> values, KayentaNan strategy) {
    std::vector<double> result;
    for (const double v : values) {
        if (!std::isnan(v)) {
            result.push_back(v);
        } else if (strategy == KayentaNan::kReplace) {
            result.push_back(0);
        }
    }
    return result;
}

bool is_constant(std::span<const double> values) noexcept {
    return std::ranges::all_of(values, [&](double v) { return v == values.front(); });
}

bool ulp_close(double a, double b) noexcept {
    return a == b || std::nextafter(a, b) == b;
}

/// Brent's root of f between a and b as R's zeroin goes about it (Brent, Algorithms for Minimization, 1973).
double zeroin(const std::function<double(double)>& f, double a, double b) {
    double fa = f(a);
    double fb = f(b);
    if (fa == 0) return a;
    if (fb == 0) return b;
    double c = a;
    double fc = fa;
    for (int step = 0; step < kRootStepsMax; ++step) {
        const double previous = b - a;
        if (std::abs(fc) < std::abs(fb)) {
            a = b, b = c, c = a;
            fa = fb, fb = fc, fc = fa;
        }
        const double tolerance = 2 * std::numeric_limits<double>::epsilon() * std::abs(b) + kRootTolerance / 2;
        double move = (c - b) / 2;
        if (std::abs(move) <= tolerance || ulp_close(fb, 0)) return b;
        if (std::abs(previous) >= tolerance && std::abs(fa) > std::abs(fb)) {
            const double width = c - b;
            double p = 0;
            double q = 0;
            if (a == c) {
                const double ratio = fb / fa;
                p = width * ratio;
                q = 1 - ratio;
            } else {
                const double first = fa / fc;
                const double second = fb / fc;
                const double third = fb / fa;
                p = third * (width * first * (first - second) - (b - a) * (second - 1));
                q = (first - 1) * (second - 1) * (third - 1);
            }
            if (p > 0) {
                q = -q;
            } else {
                p = -p;
            }
            if (p < 0.75 * width * q - std::abs(tolerance * q) / 2 && p < std::abs(previous * q / 2)) move = p / q;
        }
        if (std::abs(move) < tolerance) move = move > 0 ? tolerance : -tolerance;
        a = b;
        fa = fb;
        b += move;
        fb = f(b);
        if ((fb > 0 && fc > 0) || (fb < 0 && fc < 0)) {
            c = a;
            fc = fa;
        }
    }
    return b;
}

/// A copy with the noise that keeps two constant series from being one tie.
std::vector<double> shaken(std::span<const double> values, Random& random) {
    std::vector<double> result(values.begin(), values.end());
    for (double& v : result)
        v += v * 1e-5 * random.normal();
    return result;
}

double round_half_up(double value) noexcept {
    return std::floor(value * 100 + 0.5) / 100;
}

/// The label from the interval and the gates on the effect.
void label(const KayentaMetric& metric, KayentaResult& result) {
    const double border = metric.tolerance * std::abs(result.estimate);
    const double effect = result.effect;
    const auto at_least = [&](double gate) { return std::isnan(effect) || effect >= gate; };
    const auto at_most = [&](double gate) { return std::isnan(effect) || effect <= gate; };
    result.label = KayentaLabel::kPass;
    if (metric.direction != KayentaDirection::kDecrease && result.low > border && at_least(metric.allowed_increase)) {
        result.label = KayentaLabel::kHigh;
        result.critical = metric.critical && at_least(metric.critical_increase);
    } else if (metric.direction != KayentaDirection::kIncrease && result.high < -border &&
               at_most(metric.allowed_decrease)) {
        result.label = KayentaLabel::kLow;
        result.critical = metric.critical && at_most(metric.critical_decrease);
    }
}

}  // namespace

std::string_view to_string(KayentaLabel label) noexcept {
    return kLabels[static_cast<std::size_t>(label)];
}

Result<KayentaLabel> kayenta_label_from_string(std::string_view name) {
    for (std::size_t i = 0; i < kLabels.size(); ++i) {
        if (kLabels[i] == name) return static_cast<KayentaLabel>(i);
    }
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("'{}' is no label of kayenta-v1: Pass, High, Low, Nodata, NodataFailMetric, Error", name));
}

double kayenta_wilcoxon(std::span<const double> x, std::span<const double> y, double mu, double quantile) {
    std::vector<double> together;
    for (const double v : x)
        together.push_back(v - mu);
    together.insert(together.end(), y.begin(), y.end());
    const auto [ranks, tie_cubes] = statistics::mid_ranks(together);
    const auto m = static_cast<double>(x.size());
    const auto n = static_cast<double>(y.size());
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        sum += ranks[i];
    const double centred = sum - m * (m + 1) / 2 - m * n / 2;
    const double correction = centred > 0 ? 0.5 : (centred < 0 ? -0.5 : 0);
    const double variance = m * n / 12 * ((m + n + 1) - tie_cubes / ((m + n) * (m + n - 1)));
    return variance > 0 ? (centred - correction) / std::sqrt(variance) - quantile : kNothing;
}

Result<KayentaShift> kayenta_shift(std::span<const double> x, std::span<const double> y, double confidence) {
    if (x.empty() || y.empty()) return fail(ErrorCode::kInvalidArgument, "kayenta-v1 needs values in both samples");
    const double low = *std::ranges::min_element(x) - *std::ranges::max_element(y);
    const double high = *std::ranges::max_element(x) - *std::ranges::min_element(y);
    const double z = std::abs(statistics::normal_quantile((1 - confidence) / 2));
    bool tied = false;
    const auto root = [&](double quantile, bool ends_count) {
        const auto f = [&](double mu) {
            const double value = kayenta_wilcoxon(x, y, mu, quantile);
            tied = tied || std::isnan(value);
            return value;
        };
        if (ends_count && f(low) <= 0) return low;
        if (ends_count && f(high) >= 0) return high;
        return zeroin(f, low, high);
    };
    KayentaShift shift;
    shift.low = root(z, true);
    shift.high = root(-z, true);
    shift.estimate = root(0, false);
    if (tied) {
        return fail(ErrorCode::kInvalidArgument, "kayenta-v1 cannot rank the samples: at some shift all values tie");
    }
    return shift;
}

double kayenta_mean_ratio(std::span<const double> x, std::span<const double> y) noexcept {
    const double of_x = x.empty() ? 0 : statistics::mean(x);
    const double of_y = y.empty() ? 0 : statistics::mean(y);
    return of_x == 0 || of_y == 0 ? kNothing : of_x / of_y;
}

double kayenta_cles(std::span<const double> x, std::span<const double> y) {
    std::vector<double> together(x.begin(), x.end());
    together.insert(together.end(), y.begin(), y.end());
    const auto ranks = statistics::mid_ranks(together).ranks;
    const auto m = static_cast<double>(x.size());
    const auto n = static_cast<double>(y.size());
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
        sum += ranks[i];
    return (2 * sum - m * (m + 1)) / (2 * m * n);
}

std::vector<bool> kayenta_outliers(std::span<const double> values, double factor, bool reduce_sensitivity) {
    if (values.empty()) return {};
    std::vector<double> sorted(values.begin(), values.end());
    std::ranges::sort(sorted);
    const auto at = [&](double q) { return statistics::quantile_sorted(sorted, q); };
    const double reach = factor * (at(0.75) - at(0.25));
    double low = at(0.25) - reach;
    double high = at(0.75) + reach;
    if (reduce_sensitivity) {
        low = std::min(low, at(0.01));
        high = std::max(high, at(0.99));
    }
    std::vector<bool> outside;
    for (const double v : values)
        outside.push_back(v < low || v > high);
    return outside;
}

KayentaResult kayenta_classify(const KayentaMetric& metric, std::span<const double> canary,
                               std::span<const double> baseline) {
    std::array<std::vector<double>, 2> samples;
    for (std::size_t i = 0; i < 2; ++i) {
        samples[i] = without_nan(i == 0 ? canary : baseline, metric.nan_strategy);
        if (!metric.remove_outliers) continue;
        const auto outside = kayenta_outliers(samples[i], metric.outlier_factor, true);
        std::vector<double> kept;
        for (std::size_t k = 0; k < samples[i].size(); ++k) {
            if (!outside[k]) kept.push_back(samples[i][k]);
        }
        samples[i] = std::move(kept);
    }
    auto& [x, y] = samples;
    KayentaResult result;
    if (x.empty() || y.empty()) {
        if (metric.nan_strategy == KayentaNan::kReplace) {
            result.label = KayentaLabel::kPass;
        } else if (metric.must_have_data && !metric.critical) {
            result.label = KayentaLabel::kNodataFailMetric;
        } else {
            result.label = KayentaLabel::kNodata;
            result.critical = metric.critical;
        }
        return result;
    }
    auto sorted_x = x;
    auto sorted_y = y;
    std::ranges::sort(sorted_x);
    std::ranges::sort(sorted_y);
    result.label = KayentaLabel::kPass;
    if (sorted_x == sorted_y || (is_constant(x) && is_constant(y) && x.front() == y.front())) return result;
    result.effect = metric.effect == KayentaEffect::kCles ? kayenta_cles(x, y) : kayenta_mean_ratio(x, y);
    if (is_constant(x) && is_constant(y)) {
        Random random(metric.seed);
        x = shaken(x, random);
        y = shaken(y, random);
    }
    const auto shift = kayenta_shift(x, y, metric.confidence);
    if (!shift) {
        result.label = KayentaLabel::kError;
        return result;
    }
    result.low = shift->low;
    result.high = shift->high;
    result.estimate = shift->estimate;
    label(metric, result);
    return result;
}

double kayenta_score(std::span<const KayentaScored> metrics, const std::map<std::string, double>& weights) {
    std::size_t without = 0;
    for (const auto& metric : metrics) {
        if (metric.critical && metric.label != KayentaLabel::kPass) return 0;
        without += metric.label == KayentaLabel::kNodata ? 1 : 0;
    }
    if (metrics.empty() || 2 * without >= metrics.size()) return 0;
    struct Group {
        double passed = 0;
        double counted = 0;
    };
    std::map<std::string, Group> groups;
    for (const auto& metric : metrics) {
        for (const auto& name : metric.groups) {
            Group& group = groups[name];
            const bool counts = metric.label != KayentaLabel::kNodata && metric.label != KayentaLabel::kError;
            group.counted += counts ? 1 : 0;
            group.passed += metric.label == KayentaLabel::kPass ? 1 : 0;
        }
    }
    double given = 0;
    double unweighted = 0;
    for (const auto& [name, weight] : weights)
        given += weight;
    for (const auto& [name, group] : groups)
        unweighted += weights.contains(name) ? 0 : 1;
    double score = 0;
    for (const auto& [name, group] : groups) {
        const auto own = weights.find(name);
        const double weight = own != weights.end() ? own->second : (100 - given) / unweighted;
        const double share = group.counted > 0 ? 100 * group.passed / group.counted : 100;
        score += share * weight / 100;
    }
    return round_half_up(score);
}

}  // namespace penumbra::analysis::judge
