#include "analysis/forecast/checked_fit.hpp"

#include <chrono>
#include <cstddef>

namespace penumbra::analysis::forecast {

Result<Forecaster> fit_checked(const History& history, const ForecastOptions& options) {
    const auto days = history.step * static_cast<std::int64_t>(history.values.size()) / std::chrono::days(1);
    if (days < 14 || days >= 21) return Forecaster::fit(history, options);
    const std::size_t known = history.values.size() * 2 / 3;
    History first{.begin = history.begin, .step = history.step};
    first.values.assign(history.values.begin(), history.values.begin() + static_cast<std::ptrdiff_t>(known));
    Forecaster forecaster = TRY(Forecaster::fit(first, options));
    for (std::size_t index = known; index < history.values.size(); ++index)
        forecaster.update(history.values[index]);
    return forecaster;
}

}  // namespace penumbra::analysis::forecast
