#include "analysis/forecast/members.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/statistics/sample.hpp"

namespace penumbra::analysis::forecast {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kFitPoints = 12'096;  ///< six weeks of five minutes

double or_else(double value, double fallback) noexcept {
    return std::isfinite(value) ? value : fallback;
}

std::vector<double> asinh_of(std::span<const double> values, double scale) {
    std::vector<double> result;
    for (const double v : values)
        result.push_back(std::asinh(v / scale));
    return result;
}

}  // namespace

std::string_view to_string(Member member) noexcept {
    constexpr std::array<std::string_view, kMembers> kNames = {
        "last value", "last hour", "slow average",       "theta",    "yesterday",
        "last week",  "usual day", "usual day + offset", "seasonal", "seasonal (log)"};
    return kNames[static_cast<std::size_t>(member)];
}

void MemberBank::start(const Calendar& calendar, std::span<const double> history, std::size_t horizon) {
    *this = MemberBank{};
    recent_.assign(calendar.per_week(), std::numeric_limits<float>::quiet_NaN());
    usual_.assign(calendar.per_day(), std::numeric_limits<float>::quiet_NaN());
    std::vector<double> sizes;
    for (const double v : history) {
        if (std::isfinite(v)) sizes.push_back(std::abs(v));
    }
    log_scale_ = std::max(0.1 * statistics::median(sizes), 1e-9);
    const bool weekly = history.size() >= 2 * calendar.per_week();
    opening_ = std::min(history.size(), std::max(weekly ? 2 * calendar.per_week() : 0, history.size() / 3));
    seasonal_.start(calendar, history.first(opening_), 0, weekly);
    const auto logs = asinh_of(history, log_scale_);
    seasonal_log_.start(calendar, std::span(logs).first(opening_), 0, weekly);
    const std::size_t skipped = history.size() > kFitPoints ? history.size() - kFitPoints : 0;
    seasonal_.fit(calendar, history.subspan(skipped), skipped, horizon, opening_);
    seasonal_log_.fit(calendar, std::span(logs).subspan(skipped), skipped, horizon, opening_);
    slow_ = last_ = hour_mean_ = lowest_ = highest_ =
        sizes.empty() ? 0 : *std::ranges::find_if(history, [](double v) { return std::isfinite(v); });
}

double MemberBank::value_at(std::size_t index) const noexcept {
    return index < count_ && index + recent_.size() >= count_ ? static_cast<double>(recent_[index % recent_.size()])
                                                              : kMissing;
}

double MemberBank::recent_minimum() const noexcept {
    float least = std::numeric_limits<float>::infinity();
    for (const float v : recent_)
        least = v < least ? v : least;
    return static_cast<double>(least);
}

float MemberBank::usual_of(const Calendar& calendar, std::size_t index) const noexcept {
    std::array<float, 7> same{};
    std::size_t found = 0;
    const std::size_t now = index % recent_.size();
    for (std::size_t day = 0; day < same.size(); ++day) {
        const auto then = calendar.same_time_before(index, day * calendar.per_day());
        // no older than six days, or what a restart sees would differ
        if (!then || index - *then > 6 * calendar.per_day()) break;
        const std::size_t back = index - *then;
        const float value = recent_[now >= back ? now - back : now + recent_.size() - back];
        if (!std::isfinite(value)) continue;
        std::size_t at = found++;
        for (; at > 0 && same[at - 1] > value; --at)
            same[at] = same[at - 1];
        same[at] = value;
    }
    if (found == 0) return std::numeric_limits<float>::quiet_NaN();
    return (same[(found - 1) / 2] + same[found / 2]) / 2;
}

/// The median for the next time that `index`'s place of the day comes.
void MemberBank::refresh_usual(const Calendar& calendar, std::size_t index) {
    const std::size_t place = calendar.day_place(index);
    usual_[place] = usual_of(calendar, index);
    // an hour that the clock skipped is taken to be as the one after it
    for (std::size_t skipped = calendar.skipped_before(index); skipped > 0; --skipped)
        usual_[(place + usual_.size() - skipped) % usual_.size()] = usual_[place];
}

double MemberBank::usual(const Calendar& calendar, std::size_t index) const noexcept {
    return or_else(static_cast<double>(usual_[calendar.day_place(index)]), slow_);
}

void MemberBank::complete(const Calendar& calendar) {
    usual_.assign(calendar.per_day(), std::numeric_limits<float>::quiet_NaN());
    const std::size_t day = std::min(calendar.per_day(), count_);
    // oldest first, so that a place that comes twice keeps its newest
    for (std::size_t index = count_ - day; index < count_; ++index)
        refresh_usual(calendar, index);
}

void MemberBank::update(const Calendar& calendar, double value, bool ordinary) {
    const std::size_t index = count_;
    surprise_ = 0;
    const double fade = 1 / static_cast<double>(calendar.per_hour());
    if (std::isfinite(value)) {
        if (index > 0) {
            const double error = value - seasonal_.ahead(calendar, index - 1, 1);
            const double size = std::abs(error);
            surprise_ = usual_error_ > 0 ? error / usual_error_ : 0;
            usual_error_ =
                usual_error_ > 0 ? usual_error_ + 0.01 * (std::min(size, 6 * usual_error_) - usual_error_) : size;
        }
        offset_ += std::min(1.0, 2 * fade) * (value - usual(calendar, index) - offset_);
        hour_mean_ += std::min(1.0, 2 * fade) * (value - hour_mean_);
        slow_ += std::min(0.5, fade / 3) * (value - slow_);
        theta_.update(value, calendar.per_day());
        // extremes of the last week or so: nothing is foretold far outside them
        const double forget = 1 / (8 * static_cast<double>(calendar.per_day()));
        highest_ = std::max(value, highest_ - forget * (highest_ - slow_));
        lowest_ = std::min(value, lowest_ - forget * (lowest_ - slow_));
        last_ = value;
    }
    seasonal_.update(calendar, index, value, ordinary);
    seasonal_log_.update(calendar, index, std::asinh(value / log_scale_), ordinary);
    recent_[index % recent_.size()] = ordinary ? static_cast<float>(value) : std::numeric_limits<float>::quiet_NaN();
    refresh_usual(calendar, index);
    ++count_;
}

std::array<double, kMembers> MemberBank::ahead(const Calendar& calendar, std::size_t ahead) const {
    const std::size_t now = count_ - 1;
    const std::size_t target = now + ahead;
    const auto seasons_back = [&](std::size_t period) {
        const std::size_t back = (ahead + period - 1) / period * period;
        auto then = calendar.same_time_before(target, back);
        if (then && *then > now) then = calendar.same_time_before(target, back + period);
        return then ? value_at(*then) : kMissing;
    };
    const double usual_day = usual(calendar, target);
    const double yesterday = or_else(seasons_back(calendar.per_day()), usual_day);
    const double hours = static_cast<double>(ahead) / static_cast<double>(calendar.per_hour());
    const double multiplied = log_scale_ * std::sinh(std::min(seasonal_log_.ahead(calendar, now, ahead), 700.0));
    return {last_,
            hour_mean_,
            slow_,
            theta_.ahead(ahead, calendar.per_hour()),
            yesterday,
            or_else(seasons_back(calendar.per_week()), yesterday),
            usual_day,
            usual_day + offset_ * std::exp(-hours / 6),
            seasonal_.ahead(calendar, now, ahead),
            std::clamp(multiplied, lowest_ - (highest_ - lowest_), highest_ + (highest_ - lowest_))};
}

void MemberBank::accept_shift(const Calendar& calendar) {
    // the last hour's errors against the profile are the new level
    const std::size_t hour = std::min(calendar.per_hour(), count_);
    std::vector<double> plain;
    std::vector<double> logs;
    for (std::size_t back = 0; back < hour; ++back) {
        const double value = value_at(count_ - 1 - back);
        if (!std::isfinite(value)) continue;
        plain.push_back(value - seasonal_.ahead(calendar, count_ - 1 - back, 0) + seasonal_.error());
        logs.push_back(std::asinh(value / log_scale_) - seasonal_log_.ahead(calendar, count_ - 1 - back, 0) +
                       seasonal_log_.error());
    }
    seasonal_.shift_level(statistics::median(plain));
    seasonal_log_.shift_level(statistics::median(logs));
    slow_ = hour_mean_;
}

}  // namespace penumbra::analysis::forecast
