#include "cli/report/axis.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <iterator>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace penumbra::cli {

namespace {

constexpr double kSecond = 1000;
constexpr double kMinute = 60 * kSecond;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;
constexpr std::array kTimeSteps = {kSecond,      2 * kSecond,  5 * kSecond, 10 * kSecond, 15 * kSecond,
                                   30 * kSecond, kMinute,      2 * kMinute, 5 * kMinute,  10 * kMinute,
                                   15 * kMinute, 30 * kMinute, kHour,       2 * kHour,    3 * kHour,
                                   6 * kHour,    12 * kHour,   kDay,        2 * kDay,     7 * kDay};
constexpr double kSecondsWidth = 68;  // of "18:50:15" with air beside it
constexpr double kMinutesWidth = 52;  // of "18:50", or of a day
constexpr double kAlmost = 1e-9;      // what arithmetic loses, as a share of a step

/// 1, 2 or 5 times a power of ten, the least that is not below `value`.
double round_step(double value) {
    if (!(value > 0)) return 1;
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {1.0, 2.0, 5.0}) {
        if (value <= step * power * (1 + kAlmost)) return step * power;
    }
    return 10 * power;
}

/// The greatest that is not above `value`, which is above 0.
double round_down(double value) {
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {5.0, 2.0}) {
        if (value >= step * power * (1 - kAlmost)) return step * power;
    }
    return power;
}

/// 1-2-5 if all of them fit, else powers of ten, else every so many powers.
std::vector<double> decades(const Range& values, std::size_t count_max) {
    const int first = static_cast<int>(std::floor(std::log10(values.low) + kAlmost));
    const int last = static_cast<int>(std::floor(std::log10(values.high) + kAlmost));
    const auto at = [&](std::initializer_list<double> digits, int stride) {
        std::vector<double> found;
        for (int power = first; power <= last; power += stride) {
            for (const double digit : digits) {
                const double value = digit * std::pow(10, power);
                if (value >= values.low * (1 - kAlmost) && value <= values.high * (1 + kAlmost)) found.push_back(value);
            }
        }
        return found;
    };
    std::vector<double> found = at({1, 2, 5}, 1);
    for (int stride = 1; found.size() > count_max && stride <= last - first + 1; ++stride)
        found = at({1}, stride);
    if (found.empty() || found.size() > count_max) found = {values.low};
    return found;
}

std::vector<double> even_steps(const Range& values, std::size_t count_max) {
    const double span = values.high - values.low;
    double step = round_step(span / static_cast<double>(count_max));
    const auto count = [&] {
        return std::floor(values.high / step + kAlmost) - std::ceil(values.low / step - kAlmost) + 1;
    };
    while (count() > static_cast<double>(count_max))
        step = round_step(step * 1.5);
    std::vector<double> found;
    const double first = std::ceil(values.low / step - kAlmost);
    for (int i = 0; i < static_cast<int>(count()); ++i)
        found.push_back((first + i) * step);
    if (found.empty()) found = {values.low};
    return found;
}

std::string with_word(double value, std::string_view word) {
    return fmt::format("{:.4g}{}{}", value, word.empty() ? "" : " ", word);
}

std::string with_prefix(double value, std::string_view unit) {
    const double size = std::abs(value);
    if (size >= 1e9) return with_word(value / 1e9, fmt::format("G{}", unit));
    if (size >= 1e6) return with_word(value / 1e6, fmt::format("M{}", unit));
    if (size >= (unit.empty() ? 1e4 : 1e3)) return with_word(value / 1e3, fmt::format("k{}", unit));
    return with_word(value, unit);
}

std::string time_text(double at_ms, double step) {
    const auto when = fmt::gmtime(static_cast<std::time_t>(at_ms / kSecond));
    if (std::fmod(at_ms, kDay) == 0) return fmt::format("{:%m-%d}", when);
    return step < kMinute ? fmt::format("{:%H:%M:%S}", when) : fmt::format("{:%H:%M}", when);
}

}  // namespace

Range rounded(Range values, Scale scale) {
    if (scale == Scale::kLogarithmic) {
        values = {round_down(values.low), round_step(values.high)};
        if (values.high <= values.low) values.high = values.low * 10;
        return values;
    }
    if (values.high <= values.low) values.high = values.low + 1;
    const double step = round_step((values.high - values.low) / 5);
    values.high = std::ceil(values.high / step - kAlmost) * step;
    return values;
}

std::vector<Tick> value_ticks(const Range& values, Scale scale, std::string_view unit, std::size_t count_max) {
    const std::vector<double> found =
        scale == Scale::kLogarithmic ? decades(values, count_max) : even_steps(values, count_max);
    std::vector<Tick> ticks;
    std::ranges::transform(found, std::back_inserter(ticks),
                           [unit](double at) { return Tick{at, value_text(at, unit)}; });
    return ticks;
}

std::vector<Tick> time_ticks(const Range& at_ms, double width) {
    const double span = at_ms.high - at_ms.low;
    const auto fits = [&](double step) {
        return step / span * width >= (step < kMinute ? kSecondsWidth : kMinutesWidth);
    };
    const auto found = std::ranges::find_if(kTimeSteps, fits);
    double step = found == kTimeSteps.end() ? kTimeSteps.back() : *found;
    while (!fits(step))
        step *= 2;
    std::vector<Tick> ticks;
    for (double at = std::ceil(at_ms.low / step) * step; at <= at_ms.high; at += step)
        ticks.push_back({at, time_text(at, step)});
    if (ticks.empty()) ticks.push_back({at_ms.low, time_text(at_ms.low, kSecond)});
    return ticks;
}

std::string value_text(double value, std::string_view unit) {
    if (unit == "ms") {
        return std::abs(value) >= kSecond ? with_word(value / kSecond, "s") : with_word(value, "ms");
    }
    if (unit == "B/s") return with_prefix(value, "B");
    if (unit == "%") return with_word(value, "%");
    return with_prefix(value, "");
}

}  // namespace penumbra::cli
