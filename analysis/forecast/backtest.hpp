#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analysis/forecast/forecaster.hpp"
#include "base/result.hpp"

namespace penumbra::analysis::forecast {

/// Whose forecasts are scored: ours, and the two that cost nothing. Theirs of a quantile is their point plus that
/// quantile of their own errors so far ahead over the last week.
enum class Rival : std::uint8_t {
    kForecaster,
    kNaive,          ///< what is now stays
    kSeasonalNaive,  ///< the same time a day ago; a week ago where there are three weeks
};
inline constexpr std::size_t kRivals = 3;
[[nodiscard]] std::string_view to_string(Rival rival) noexcept;

struct BacktestOptions {
    std::size_t horizon = 0;   ///< steps ahead; 0: a day
    std::size_t origins = 20;  ///< moments from which is foretold
    double quantile = 0.95;
    ForecastOptions model;  ///< quantiles and horizon are set by the rest
};

/// Averages over origins and horizons. Errors are in mean absolute changes against a day ago, over what came before the
/// origin (MASE, Hyndman and Koehler, IJF 22, 2006); NaN where nothing could be scored.
struct RivalScore {
    double mase = 0;
    double coverage = 0;  ///< share of values at or under the quantile
    double pinball = 0;   ///< of the quantile, in the same unit as mase
};

struct Backtest {
    std::array<RivalScore, kRivals> scores{};
    std::size_t origins = 0;
    std::size_t horizon = 0;
    std::size_t scored = 0;  ///< values, over all origins
    WallTime first_origin{};
    WallTime last_origin{};
};

/// Rolling origin: at moments spread evenly over the second half of the history (three days at least come before the
/// first) a model that has seen only what came before foretells the horizon. O(origins n). Errors: kInvalidArgument for
/// a history shorter than three days and the horizon, one that never changes from day to day, or options without
/// meaning.
[[nodiscard]] Result<Backtest> backtest(const History& history, const BacktestOptions& options);

}  // namespace penumbra::analysis::forecast
