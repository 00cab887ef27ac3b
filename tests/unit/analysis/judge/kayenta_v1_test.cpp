// Inputs and expected labels of the public canary judge's own tests; tests/golden/analysis/kayenta_vectors.json says
// where they come from and under which licence.

#include "analysis/judge/kayenta_v1.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/judge/lab_v1.hpp"
#include "analysis/statistics/normal.hpp"
#include "analysis/statistics/sample.hpp"

namespace penumbra::analysis::judge {
namespace {

using nlohmann::json;

const json& vectors() {
    static const json kVectors = json::parse(std::ifstream(ANALYSIS_GOLDEN_DIR "/kayenta_vectors.json"));
    return kVectors;
}

double number(const json& value) {
    return value.is_string() ? std::nan("") : value.get<double>();
}

std::vector<double> numbers(const json& values) {
    std::vector<double> result;
    for (const auto& value : values)
        result.push_back(number(value));
    return result;
}

KayentaMetric metric_of(const json& vector) {
    const std::string direction = vector["direction"];
    KayentaMetric metric{
        .direction = direction == "increase"   ? KayentaDirection::kIncrease
                     : direction == "decrease" ? KayentaDirection::kDecrease
                                               : KayentaDirection::kEither,
        .nan_strategy = vector["nan_strategy"] == "replace" ? KayentaNan::kReplace : KayentaNan::kRemove,
        .effect = vector["effect_size_measure"] == "cles" ? KayentaEffect::kCles : KayentaEffect::kMeanRatio,
        .critical = vector["critical_metric"],
        .must_have_data = vector["data_required"],
        .tolerance = vector["tolerance"],
        .confidence = vector["conf_level"],
        .allowed_increase = number(vector["allowed_increase"]),
        .allowed_decrease = number(vector["allowed_decrease"]),
        .critical_increase = number(vector["critical_increase"]),
        .critical_decrease = number(vector["critical_decrease"])};
    return metric;
}

// What that judge's library has and the judge never judges by is put together here from our own mean and variance.

double cohen_d(const std::vector<double>& x, const std::vector<double>& y) {
    return (statistics::mean(x) - statistics::mean(y)) /
           std::sqrt((statistics::variance(x) + statistics::variance(y)) / 2);
}

std::vector<bool> beyond_deviations(const std::vector<double>& values, double factor) {
    std::vector<bool> beyond;
    for (const double v : values) {
        const double away = std::abs(v - statistics::mean(values));
        beyond.push_back(away > factor * std::sqrt(statistics::variance(values)));
    }
    return beyond;
}

std::string label_of_means(const std::vector<double>& x, const std::vector<double>& y) {
    const double difference = statistics::mean(x) - statistics::mean(y);
    return difference > 0 ? "High" : difference < 0 ? "Low" : "Pass";
}

TEST(KayentaV1, MeansDeviationsAndQuantilesAreThoseOfItsLibrary) {
    for (const auto& vector : vectors()["mean_inequality_classifier"]) {
        EXPECT_EQ(label_of_means(numbers(vector["experiment"]), numbers(vector["control"])),
                  vector["expect"]["classification"].get<std::string>())
            << vector["name"];
    }
    for (const auto& vector : vectors()["normal_quantile"])
        EXPECT_NEAR(statistics::normal_quantile(vector["p"]), vector["expect"].get<double>(), vector["abs_tol"]);
    for (const auto& vector : vectors()["summary_statistics"]) {
        auto sorted = numbers(vector["data"]);
        std::ranges::sort(sorted);
        const auto& expect = vector["expect"];
        EXPECT_EQ(sorted.size(), expect["count"].get<std::size_t>()) << vector["name"];
        EXPECT_DOUBLE_EQ(statistics::mean(sorted), expect["mean"]) << vector["name"];
        EXPECT_NEAR(std::sqrt(statistics::variance(sorted)), expect["std"].get<double>(),
                    vector.value("std_abs_tol", 1e-12))
            << vector["name"];
        if (sorted.empty()) continue;
        EXPECT_EQ(statistics::quantile_sorted(sorted, 0), expect["min"].get<double>()) << vector["name"];
        EXPECT_EQ(statistics::quantile_sorted(sorted, 1), expect["max"].get<double>()) << vector["name"];
    }
}

TEST(KayentaV1, ValuesThatAreNotThereAreLeftOutOrZero) {
    for (const auto& vector : vectors()["nan_handling"]) {
        const auto strategy = vector["strategy"] == "replace" ? KayentaNan::kReplace : KayentaNan::kRemove;
        const auto expect = numbers(vector["expect"]);
        const auto result = kayenta_classify({.nan_strategy = strategy}, numbers(vector["data"]), expect);
        // equal samples are Pass at an effect of 1 before anything else is computed, and none at all is Nodata
        EXPECT_EQ(result.label, expect.empty() ? KayentaLabel::kNodata : KayentaLabel::kPass) << vector["name"];
        EXPECT_EQ(result.effect, 1) << vector["name"];
    }
}

TEST(KayentaV1, EveryLabelIsTheOneThatItsUsersKnow) {
    ASSERT_EQ(vectors()["mann_whitney_classifier"].size(), 34U);
    for (const auto& vector : vectors()["mann_whitney_classifier"]) {
        const auto result =
            kayenta_classify(metric_of(vector), numbers(vector["experiment"]), numbers(vector["control"]));
        if (vector["expect"].contains("classification")) {
            EXPECT_EQ(to_string(result.label), vector["expect"]["classification"].get<std::string>()) << vector["name"];
        }
        if (vector["expect"].contains("critical")) {
            EXPECT_EQ(result.critical, vector["expect"]["critical"].get<bool>()) << vector["name"];
        }
    }
}

TEST(KayentaV1, CommunityCasesGetTheLabelThatTheirReportersComplainedAbout) {
    for (const auto& vector : vectors()["community_cases"]) {
        const auto result =
            kayenta_classify(metric_of(vector), numbers(vector["experiment"]), numbers(vector["control"]));
        EXPECT_EQ(to_string(result.label), vector["upstream_label"].get<std::string>()) << vector["name"];
    }
}

TEST(KayentaV1, ShiftIntervalsAreThoseOfItsRootFinder) {
    for (const auto& vector : vectors()["mann_whitney_confidence_interval"]) {
        const auto shift =
            kayenta_shift(numbers(vector["experiment"]), numbers(vector["control"]), vector["conf_level"]);
        ASSERT_TRUE(shift.has_value()) << vector["name"];
        const auto& expect = vector["expect"];
        EXPECT_NEAR(shift->low, expect["ci_low"].get<double>(), vector["ci_abs_tol"].get<double>()) << vector["name"];
        EXPECT_NEAR(shift->high, expect["ci_high"].get<double>(), vector["ci_abs_tol"].get<double>()) << vector["name"];
        EXPECT_NEAR(shift->estimate, expect["estimate"].get<double>(), vector["estimate_abs_tol"].get<double>())
            << vector["name"];
    }
}

TEST(KayentaV1, StatisticAgreesStepByStep) {
    for (const auto& vector : vectors()["wilcoxon_diff"]) {
        const auto x = numbers(vector["x"]);
        const auto y = numbers(vector["y"]);
        for (const auto& sample : vector["cases"]) {
            EXPECT_NEAR(kayenta_wilcoxon(x, y, sample["mu"], sample["quantile"]), sample["expect"].get<double>(), 1e-5);
        }
    }
    for (const auto& vector : vectors()["mann_whitney_intermediates"]) {
        const auto x = numbers(vector["x"]);
        const auto y = numbers(vector["y"]);
        const auto& e = vector["expect"];
        const double low = e["mu_min"];
        const double z = std::abs(statistics::normal_quantile((1 - vector["conf_level"].get<double>()) / 2));
        EXPECT_NEAR(z, e["zq_lower"].get<double>(), 1e-6);
        EXPECT_NEAR(kayenta_wilcoxon(x, y, low, z), e["f_lower_at_zq_lower"].get<double>(), 1e-6);
        const auto shift = kayenta_shift(x, y, vector["conf_level"]);
        ASSERT_TRUE(shift.has_value());
        EXPECT_NEAR(shift->low, e["ci_low"].get<double>(), 1e-6);
        EXPECT_NEAR(shift->high, e["ci_high"].get<double>(), 1e-6);
        EXPECT_NEAR(shift->estimate, e["estimate"].get<double>(), 1e-6);
    }
}

TEST(KayentaV1, EffectSizesPercentilesAndOutliersAgree) {
    for (const auto& vector : vectors()["effect_size"]) {
        const auto x = numbers(vector["experiment"]);
        const auto y = numbers(vector["control"]);
        const double got = vector["measure"] == "cles"     ? kayenta_cles(x, y)
                           : vector["measure"] == "cohenD" ? cohen_d(x, y)
                                                           : kayenta_mean_ratio(x, y);
        const double wanted = number(vector["expect"]);
        if (std::isnan(wanted)) {
            EXPECT_TRUE(std::isnan(got)) << vector["name"];
        } else {
            EXPECT_NEAR(got, wanted, vector["abs_tol"].get<double>() + 1e-12) << vector["name"];
        }
    }
    for (const auto& vector : vectors()["percentile"]) {
        auto sorted = numbers(vector["data"]);
        std::ranges::sort(sorted);
        EXPECT_NEAR(statistics::quantile_sorted(sorted, vector["p"].get<double>() / 100),
                    vector["expect"].get<double>(), vector["abs_tol"].get<double>() + 1e-12);
    }
    for (const auto& vector : vectors()["outlier_detector"]) {
        const auto data = numbers(vector["data"]);
        const auto got = vector["detector"] == "iqr"
                             ? kayenta_outliers(data, vector["factor"], vector["reduce_sensitivity"])
                             : beyond_deviations(data, vector["factor"]);
        EXPECT_EQ(got, vector["expect_outlier"].get<std::vector<bool>>()) << vector["name"];
    }
}

TEST(KayentaV1, ScoresAgree) {
    ASSERT_EQ(vectors()["weighted_sum_scorer"].size(), 13U);
    for (const auto& vector : vectors()["weighted_sum_scorer"]) {
        std::vector<KayentaScored> metrics;
        for (const auto& metric : vector["metrics"]) {
            const auto label = kayenta_label_from_string(metric["classification"].get<std::string>());
            ASSERT_TRUE(label.has_value());
            metrics.push_back({.label = *label,
                               .critical = metric["critical"],
                               .groups = metric["groups"].get<std::vector<std::string>>()});
        }
        EXPECT_DOUBLE_EQ(kayenta_score(metrics, vector["group_weights"].get<std::map<std::string, double>>()),
                         vector["expect_summary_score"].get<double>())
            << vector["name"];
    }
}

TEST(KayentaV1, AnErrorCountsForNothingAsDocumented) {
    const std::vector<KayentaScored> all = {{.label = KayentaLabel::kError, .groups = {"g"}},
                                            {.label = KayentaLabel::kError, .groups = {"g"}}};
    EXPECT_DOUBLE_EQ(kayenta_score(all, {}), 100);
    EXPECT_FALSE(kayenta_label_from_string("Fine").has_value());
}

TEST(KayentaV1, MissingValuesFollowTheStrategy) {
    const double gone = std::nan("");
    const std::vector<double> none = {gone, gone};
    const std::vector<double> some = {1, 2, 3};
    EXPECT_EQ(kayenta_classify({}, none, some).label, KayentaLabel::kNodata);
    EXPECT_EQ(kayenta_classify({.must_have_data = true}, none, some).label, KayentaLabel::kNodataFailMetric);
    EXPECT_TRUE(kayenta_classify({.critical = true}, none, some).critical);
    EXPECT_EQ(kayenta_classify({.nan_strategy = KayentaNan::kReplace}, {}, some).label, KayentaLabel::kPass);
}

/// One window a value: a response time in milliseconds, or, of a counter, errors in 100 requests.
std::vector<model::KpiWindow> windows_of(const std::vector<double>& values, Kpi kpi) {
    std::vector<model::KpiWindow> windows;
    for (const double value : values) {
        model::KpiWindow window{
            .sequence = windows.size(),
            .begin = WallTime(std::chrono::milliseconds(5000 * static_cast<std::int64_t>(windows.size()))),
            .length = std::chrono::milliseconds(5000),
            .requests = 100};
        if (kpi == Kpi::kErrorRate) {
            window.errors = static_cast<std::uint64_t>(value);
        } else {
            window.response_time = {{.value_us = static_cast<std::uint64_t>(1000 * value), .count = 100}};
        }
        windows.push_back(std::move(window));
    }
    return windows;
}

TEST(LabV1, NoCommunityCaseIsAPlainPass) {
    // test 1 of the rollouts report; each has 15 values or fewer, so that INCONCLUSIVE is what can be known
    ASSERT_EQ(vectors()["community_cases"].size(), 5U);
    for (const auto& vector : vectors()["community_cases"]) {
        const std::string name = vector["name"];
        const Kpi kpi = name == "sparse error counter" ? Kpi::kErrorRate : Kpi::kResponseTimeMean;
        const auto control = windows_of(numbers(vector["control"]), kpi);
        const auto treated = windows_of(numbers(vector["experiment"]), kpi);
        const LabRules rules{.kpis = {{.kpi = kpi, .margin = kpi == Kpi::kErrorRate ? 0.01 : 0.2}}};
        const auto verdict = judge_twins(rules, {.after = {.control = control, .treated = treated}});
        ASSERT_TRUE(verdict.has_value());
        EXPECT_EQ(verdict->kind, model::VerdictKind::kInconclusive) << name << ": " << verdict->reason;
    }
}

TEST(LabV1, WithoutAValueOfAnyKpiOrWithThreeOfThemNothingIsKnown) {
    // test 2: where that judge labels every metric Error and scores 100; and total separation of three against three
    auto silent = windows_of(std::vector<double>(60, 1), Kpi::kResponseTimeMean);
    for (auto& window : silent)
        window.response_time.clear();
    const LabRules rules{.kpis = {{.kpi = Kpi::kResponseTimeMean}, {.kpi = Kpi::kResponseTimeP95}}};
    const auto nothing = judge_twins(rules, {.after = {.control = silent, .treated = silent}});
    EXPECT_EQ(nothing->kind, model::VerdictKind::kInconclusive) << nothing->reason;
    const auto low = windows_of({1, 1.1, 1.2}, Kpi::kResponseTimeMean);
    const auto high = windows_of({10, 11, 12}, Kpi::kResponseTimeMean);
    const auto three = judge_twins(rules, {.after = {.control = low, .treated = high}});
    EXPECT_EQ(three->kind, model::VerdictKind::kInconclusive) << three->reason;
}

}  // namespace
}  // namespace penumbra::analysis::judge
