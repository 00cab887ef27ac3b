// A forecaster's state as bytes and back.

#include <algorithm>
#include <cmath>

#include "analysis/forecast/forecast_checks.hpp"
#include "analysis/forecast/forecaster.hpp"
#include "analysis/forecast/state_archive.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::forecast {

namespace {
constexpr std::uint64_t kStateVersion = 4;
}

template <class Archive>
void Forecaster::walk(Archive& archive) {
    archive(options_.quantiles);
    archive(options_.horizon);
    archive(options_.lowest);
    archive(options_.highest);
    for (auto& range : options_.fleet.log_error) {
        for (double& value : range)
            archive(value);
    }
    archive(bank_);
    for (Range& range : ranges_)
        archive(range);
    for (auto& range : weights_) {
        for (double& value : range)
            archive(value);
    }
    archive(special_days_);
    archive(level_before_);
    archive(log_level_before_);
    archive(in_special_);
    archive(rising_);
    archive(falling_);
    archive(outage_);
    archive(last_shift_);
}

bool Forecaster::is_whole() const noexcept {
    const std::size_t row = row_length();
    const auto probe_fits = [&](const Probe& probe) {
        return probe.ahead > 0 && !probe.rows.empty() && probe.rows.size() % row == 0 &&
               probe.head < probe.rows.size() / row && probe.held <= probe.rows.size() / row;
    };
    const auto range_fits = [&](const Range& range) {
        return range.error.size() == kMembers && range.stride > 0 && range.probes.empty() == (range.last == 0) &&
               std::ranges::all_of(range.probes, probe_fits) &&
               (range.last == 0 || range.calibration.fits(options_.quantiles.size()));
    };
    return !options_.quantiles.empty() && std::ranges::all_of(options_.quantiles, is_inside) && options_.horizon > 0 &&
           options_.horizon <= limits::kForecastHorizonMax && ranges_[0].last > 0 && bank_.fits(calendar_) &&
           special_days_.fits() && std::ranges::all_of(ranges_, range_fits);
}

std::vector<std::byte> Forecaster::save() const {
    StateWriter writer;
    writer(kStateVersion);
    writer(begin_.time_since_epoch().count());
    writer(calendar_.step().count());
    writer(static_cast<double>(options_.utc_offset.count()));
    writer(options_.offset_changes.size());
    for (const OffsetChange& change : options_.offset_changes) {
        writer(change.at.time_since_epoch().count());
        writer(static_cast<double>(change.offset.count()));
    }
    Forecaster copy = *this;
    copy.walk(writer);
    return writer.take();
}

Result<Forecaster> Forecaster::restore(std::span<const std::byte> state) {
    StateReader reader(state);
    std::uint64_t version = 0;
    std::uint64_t begin = 0;
    std::uint64_t step = 0;
    double offset = 0;
    std::size_t changes = 0;
    reader(version);
    reader(begin);
    reader(step);
    reader(offset);
    reader(changes);
    const std::chrono::milliseconds grid(static_cast<std::int64_t>(step));
    if (version != kStateVersion || !divides_a_day(grid) || !(std::abs(offset) <= 24 * 60)) {
        return fail(ErrorCode::kDataLoss,
                    "this is not the state of a forecast of this version: fit it to its history again");
    }
    Forecaster result;
    result.begin_ = WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(begin)));
    result.options_.utc_offset = std::chrono::minutes(static_cast<std::int64_t>(offset));
    for (; changes > 0 && changes <= limits::kOffsetChangesMax; --changes) {
        std::int64_t at = 0;
        double minutes = 0;
        reader(at);
        reader(minutes);
        if (!(std::abs(minutes) <= 24 * 60)) minutes = 0;
        result.options_.offset_changes.push_back(
            {WallTime(std::chrono::milliseconds(at)), std::chrono::minutes(static_cast<std::int64_t>(minutes))});
    }
    result.walk(reader);
    if (reader.failed() || changes > 0 || !check_clock(result.options_)) {
        return fail(ErrorCode::kDataLoss, "the stored state of a forecast is damaged: fit it to its history again");
    }
    result.calendar_ = Calendar(result.begin_, grid, result.options_.utc_offset, result.options_.offset_changes);
    if (!result.is_whole()) {
        return fail(ErrorCode::kDataLoss,
                    "the stored state of a forecast does not fit together: fit it to its history again");
    }
    result.bank_.complete(result.calendar_);
    for (std::size_t i = 0; i < kRanges; ++i) {
        result.ranges_[i].calibration.complete(result.options_.quantiles);
        if (result.ranges_[i].last > 0) result.learn_experience(i);
    }
    return result;
}

}  // namespace penumbra::analysis::forecast
