#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

#include "analysis/forecast/forecaster.hpp"
#include "analysis/random.hpp"

namespace penumbra::analysis::forecast::testing {

/// A series whose truth is known: what each part adds is stated here and nowhere else.
struct World {
    std::uint64_t seed = 1;
    std::chrono::milliseconds step = std::chrono::hours(1);
    std::size_t points = 24 * 28;
    double level = 100;
    double daily = 30;    ///< amplitude
    double weekend = 25;  ///< less on two days of seven
    double noise = 4;
    double missing = 0;  ///< share of values that are not there
    std::size_t shift_at = std::numeric_limits<std::size_t>::max();
    double shift_factor = 2;
};

/// The value without noise.
inline double truth(const World& world, std::size_t index) {
    const double day = static_cast<double>(std::chrono::milliseconds(std::chrono::days(1)) / world.step);
    const double at = static_cast<double>(index) / day;
    const double season =
        world.daily * std::sin(2 * std::numbers::pi * at) - (std::fmod(at, 7) >= 5 ? world.weekend : 0);
    return (world.level + season) * (index >= world.shift_at ? world.shift_factor : 1);
}

inline History make(const World& world) {
    Random random(world.seed);
    History history{.step = world.step};
    for (std::size_t i = 0; i < world.points; ++i) {
        const double value = truth(world, i) + world.noise * random.normal();
        history.values.push_back(random.uniform() < world.missing ? std::numeric_limits<double>::quiet_NaN() : value);
    }
    return history;
}

/// Mean absolute error of the first quantile against the truth, over the steps foretold from `now` on.
inline double error_against_truth(const World& world, const ForecastResult& forecast, std::size_t now) {
    double sum = 0;
    for (std::size_t k = 0; k < forecast.steps.size(); ++k) {
        sum += std::abs(forecast.steps[k].values[0] - truth(world, now + k));
    }
    return sum / static_cast<double>(forecast.steps.size());
}

}  // namespace penumbra::analysis::forecast::testing
