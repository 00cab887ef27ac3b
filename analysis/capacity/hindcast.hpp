#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::capacity {

/// Split-conformal radius of relative errors (Vovk; Lei et al., JASA 113, 2018): the ceil((n + 1) confidence)-th
/// smallest of |error|; the next error exceeds it with a probability of at most 1 - confidence when errors are
/// exchangeable. nullopt when there are too few for the confidence.
[[nodiscard]] std::optional<double> hindcast_radius(std::span<const double> errors, double confidence);

/// A capacity as it was foretold, and as it was measured later; in one unit, both above 0.
struct Hindcast {
    double predicted = 0;
    double measured = 0;
};

/// What past predictions say of the next one. Two cumulative sums of log-likelihood ratios (Page, Biometrika 41, 1954)
/// watch the hindcasts that lie outside the radius of those before them: against half of all that should lie within,
/// and against twice as many misses as the confidence allows. While the first one doubts, the radius from before its
/// doubt counts: the misses themselves would widen it. Together they alarm without cause less than once in 1,000
/// hindcasts (Lorden, Ann. Math. Stat. 42, 1971), and after 5 when all miss at 90 %. An alarm stands until both sums
/// are back at 0. Value type, deterministic; O(limits::kHindcastsKept log) a hindcast.
class HindcastLedger {
 public:
    /// Of `past`, oldest first. Errors: kInvalidArgument for a confidence outside (0, 1), or as add().
    [[nodiscard]] static Result<HindcastLedger> of(std::span<const Hindcast> past, double confidence);

    /// Errors: kInvalidArgument for a rate that is not above 0, and the ledger stays as it is.
    [[nodiscard]] Result<void> add(const Hindcast& hindcast);

    /// Relative radius around the next prediction, from the newest limits::kHindcastsKept errors; nullopt: too few.
    [[nodiscard]] std::optional<double> radius() const { return hindcast_radius(errors_, confidence_); }
    /// The radius around a prediction as an interval of the ledger's confidence; nullopt: too few.
    [[nodiscard]] std::optional<model::Interval> around(double predicted) const;
    /// Whether what is foretold is missed more often than the confidence says: nothing must be predicted then.
    [[nodiscard]] bool undercovers() const noexcept { return alarmed_; }
    /// Hindcasts that had a radius before them, and how many of them lay within it.
    [[nodiscard]] std::size_t judged() const noexcept { return judged_; }
    [[nodiscard]] std::size_t covered() const noexcept { return covered_; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    /// Fewest hindcasts that have a radius at this confidence.
    [[nodiscard]] std::size_t needed() const noexcept;
    /// "20 earlier predictions, of which 10 of 11 ...": count and coverage.
    [[nodiscard]] std::string summary() const;
    /// What the interval of the next prediction rests on, or why it has none and what to do, as a part of a sentence.
    [[nodiscard]] std::string basis() const;

 private:
    void watch(bool is_missed) noexcept;

    double confidence_ = 0.9;
    std::vector<double> errors_;
    std::size_t count_ = 0;
    std::size_t judged_ = 0;
    std::size_t covered_ = 0;
    std::array<double, 2> sums_{};
    double reference_ = 0;  ///< radius that the sums go by
    bool alarmed_ = false;
};

/// The ledger of `past` where a prediction may rest on it. Errors: as HindcastLedger::of; kUnsupported while it
/// undercovers.
[[nodiscard]] Result<HindcastLedger> trusted_ledger(std::span<const Hindcast> past, double confidence);

}  // namespace penumbra::analysis::capacity
