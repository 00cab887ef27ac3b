#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::statistics {

/// Always-valid test of a mean with known variance, by mixing over N(0, tau^2) (Robbins 1970; Johari et al., "Always
/// valid inference", 2015): may be looked at after every value. Value type; O(1) a value.
/// Lambda = sqrt(V/(V + n t^2)) exp(n^2 t^2 (mean - theta0)^2 / (2 V (V + n t^2))), p = min over time of 1/Lambda.
class MixtureTest {
 public:
    struct Options {
        double null_mean = 0;
        double variance = 1;  ///< V, of one value
        double tau = 1;       ///< spread of the effects looked for, in the values' unit
    };
    explicit MixtureTest(const Options& options) noexcept : options_(options) {}

    void add(double value) noexcept;
    /// Always-valid two-sided p so far.
    [[nodiscard]] double p() const noexcept { return p_; }
    [[nodiscard]] std::uint64_t count() const noexcept { return n_; }

 private:
    Options options_;
    std::uint64_t n_ = 0;
    double sum_ = 0;
    double p_ = 1;
};

/// The r of the two-sided normal mixture that is tightest at intrinsic time v_opt: v_opt / (2 ln(1/a) + ln(1 + 2
/// ln(1/a))) (Howard et al., Ann. Stat. 49, 2021, prop. 3).
[[nodiscard]] double mixture_r(double v_opt, double alpha) noexcept;

/// Boundary |S| < sqrt((v + r)(ln(1 + v/r) + 2 ln(1/a))) that a walk of intrinsic time v leaves ever with P <= alpha.
[[nodiscard]] double mixture_boundary(double v, double r, double alpha) noexcept;

/// Confidence sequence of a mean whose variance is not known: the t mixture (Lai, Ann. Stat. 4, 1976; Wang and Ramdas,
/// "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance", 2023). With R = 1 + n
/// spread^2 and A = (sqrt(R) / alpha)^(2/n): mean +- sqrt((A - 1) / (1 - A/R) sum (x - mean)^2 / n), and no bound while
/// A >= R. P(the mean ever lies outside) <= alpha for independent normal values, exactly, from the first value on.
/// Value type; O(1) a value.
class ConfidenceSequence {
 public:
    struct Options {
        double alpha = 0.05;
        double spread =
            1;  ///< of the means it is tightest for, in deviations of one value; wider ones need fewer values
    };
    /// Errors: kInvalidArgument unless 0 < alpha < 1/2 and spread > 0.
    [[nodiscard]] static Result<ConfidenceSequence> create(const Options& options);

    void add(double value) noexcept;
    [[nodiscard]] std::uint64_t count() const noexcept { return n_; }
    /// The interval at this moment; infinite while there are too few values.
    [[nodiscard]] model::Interval interval() const noexcept;

 private:
    explicit ConfidenceSequence(const Options& options) noexcept : options_(options) {}
    Options options_;
    std::uint64_t n_ = 0;
    double mean_ = 0;
    double squares_ = 0;
};

}  // namespace penumbra::analysis::statistics
