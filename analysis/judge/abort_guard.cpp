#include "analysis/judge/abort_guard.hpp"

#include <algorithm>
#include <span>

#include <fmt/core.h>

namespace penumbra::analysis::judge {

Result<AbortGuard> AbortGuard::create(const Options& options) {
    if (!(options.harm >= 0) || options.block == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("an abort guard on {} beyond {} in blocks of {} has no meaning", to_string(options.kpi),
                                options.harm, options.block));
    }
    // the sequence is two-sided and only its lower end can trip: twice alpha is one-sided alpha
    const auto sequence = TRY(statistics::ConfidenceSequence::create(
        {.alpha = std::min(2 * options.alpha, 0.49), .n_opt = 20, .n_first = options.n_first}));
    return AbortGuard(options, sequence);
}

void AbortGuard::add(const model::KpiWindow& control, const model::KpiWindow& treated) {
    const auto of_control = kpi_value(options_.kpi, std::span(&control, 1));
    const auto of_treated = kpi_value(options_.kpi, std::span(&treated, 1));
    if (!of_control || !of_treated) return;
    block_sum_ += comparable(options_.kpi, *of_treated) - comparable(options_.kpi, *of_control);
    if (++in_block_ < options_.block) return;
    sequence_.add(block_sum_ / static_cast<double>(in_block_));
    block_sum_ = 0;
    in_block_ = 0;
    const double low = sequence_.interval().low;
    if (tripped_ || !(low > shift_of(options_.kpi, options_.harm))) return;
    tripped_ = true;
    sure_effect_ = effect_of(options_.kpi, low);
    at_block_ = sequence_.count();
}

std::string AbortGuard::reason() const {
    if (!tripped_) return {};
    return fmt::format("{} of the treated arm is at least {:.0f} % worse than control for sure, seen after {} windows",
                       to_string(options_.kpi), 100 * sure_effect_, at_block_ * options_.block);
}

}  // namespace penumbra::analysis::judge
