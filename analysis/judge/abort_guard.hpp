#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/judge/kpi.hpp"
#include "analysis/statistics/sequential.hpp"
#include "base/result.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::analysis::judge {

/// Watches a running trial and says when harm is sure, however often it is asked (a fixed test repeated cries wolf in
/// 19 to 41 % of runs): an always-valid confidence sequence for unknown variance over blocks of paired windows, as long
/// as five autocorrelation times of what was seen so far, and never shorter than they once had to be. Value type;
/// O(windows x autocorrelation time) a block. Domain: an autocorrelation time of up to about a twentieth of the
/// windows; where they wander for longer there are too few blocks for a word.
class AbortGuard {
 public:
    struct Options {
        Kpi kpi = Kpi::kResponseTimeMean;
        double harm = 0.5;       ///< effect whose excess ends the trial: relative, or a difference of shares
        double alpha = 0.001;    ///< P(alarm ever | no effect); of several guards on one trial each takes its part
        std::size_t block = 10;  ///< windows between two looks, and the least in a block
    };
    /// Errors: kInvalidArgument unless harm >= 0, block >= 1 and 0 < alpha < 1/2.
    [[nodiscard]] static Result<AbortGuard> create(const Options& options);

    /// One pair of windows of the same time. A pair without a value in one arm is left out.
    void add(const model::KpiWindow& control, const model::KpiWindow& treated);

    /// True from the moment that the effect lies above `harm` for sure; never taken back.
    [[nodiscard]] bool tripped() const noexcept { return tripped_; }
    /// The sentence for an ABORTED verdict; empty until tripped.
    [[nodiscard]] std::string reason() const;

 private:
    AbortGuard(const Options& options, const statistics::ConfidenceSequence& unfed) noexcept
        : options_(options), unfed_(unfed), length_(options.block) {}
    void look();
    Options options_;
    statistics::ConfidenceSequence unfed_;
    std::size_t length_;               ///< of a block
    std::vector<double> differences_;  ///< one a window
    bool tripped_ = false;
    double sure_effect_ = 0;
    std::size_t seen_after_ = 0;  ///< windows
};

}  // namespace penumbra::analysis::judge
