#pragma once

#include <span>
#include <vector>

#include "analysis/forecast/calendar.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/time_zone.hpp"
#include "coordinator/store/store.hpp"
#include "proto/model/api.hpp"
#include "proto/model/kpi.hpp"
#include "proto/model/trial.hpp"

/// Flow 4, anticipation, as far as it is pure: from a metric's history to what is shown and what a load trial does.
namespace penumbra::coordinator {

/// Requests a second over the latest minute of these windows of production; 0 without any.
[[nodiscard]] double present_rate(std::span<const model::KpiWindow> windows);

/// What the service's days are like.
struct ServiceDays {
    std::vector<OffsetChange> clock{};                      ///< its own, rising; empty: UTC
    std::vector<analysis::forecast::SpecialDay> special{};  ///< holidays and events, rising by date
};

/// Quantiles of the next hour and the next day, with how often they held. `points` in order of time, those after `now`
/// are left out; `present` is in the metric's unit. Errors: kNotFound without history, kInvalidArgument for one that no
/// model takes.
[[nodiscard]] Result<model::ForecastView> foretell(const Series& series, std::span<const MetricPoint> points,
                                                   WallTime now, double present, const ServiceDays& days);

/// A load trial's steps: rising multiples of `present`, the last of them the highest that the quantile reaches within
/// the horizon; they begin above 1 where the load will rise. Errors: as of foretell(); kUnavailable when nothing is
/// measured now; kInvalidArgument for an aim without meaning, or beyond what a replay can do.
[[nodiscard]] Result<std::vector<double>> aimed_multiples(const model::ForecastAim& aim, const Series& series,
                                                          std::span<const MetricPoint> points, WallTime now,
                                                          double present, const ServiceDays& days);

}  // namespace penumbra::coordinator
