#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "analysis/judge/kpi.hpp"
#include "analysis/statistics/sequential.hpp"
#include "base/result.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::analysis::judge {

/// Watches a running trial and says when harm is sure, however often it is asked: an always-valid confidence sequence
/// over blocks of paired windows (a fixed test repeated cries wolf in 19 to 41 % of runs). Value type; O(1) a window.
class AbortGuard {
 public:
    struct Options {
        Kpi kpi = Kpi::kResponseTimeMean;
        double harm = 0.5;          ///< effect whose excess ends the trial: relative, or a difference of shares
        double alpha = 0.001;       ///< P(alarm ever | no effect)
        std::size_t block = 10;     ///< windows in a block: about ten autocorrelation times
        std::uint64_t n_first = 5;  ///< blocks before the first word
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
    AbortGuard(const Options& options, const statistics::ConfidenceSequence& sequence) noexcept
        : options_(options), sequence_(sequence) {}
    Options options_;
    statistics::ConfidenceSequence sequence_;
    double block_sum_ = 0;
    std::size_t in_block_ = 0;
    bool tripped_ = false;
    double sure_effect_ = 0;
    std::uint64_t at_block_ = 0;
};

}  // namespace penumbra::analysis::judge
