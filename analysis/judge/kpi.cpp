#include "analysis/judge/kpi.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace penumbra::analysis::judge {

namespace {

constexpr std::array<std::pair<Kpi, std::string_view>, 6> kNames = {{
    {Kpi::kResponseTimeMean, "response_time_mean"},
    {Kpi::kResponseTimeP95, "response_time_p95"},
    {Kpi::kResponseTimeP99, "response_time_p99"},
    {Kpi::kErrorRate, "error_rate"},
    {Kpi::kGuestCpu, "guest_cpu"},
    {Kpi::kDiskBytes, "disk_bytes"},
}};

/// Below these a ratio means nothing: a microsecond, a hundredth of a core, a KiB a second.
double floor_of(Kpi kpi) noexcept {
    switch (kpi) {
        case Kpi::kResponseTimeMean:
        case Kpi::kResponseTimeP95:
        case Kpi::kResponseTimeP99:
            return 1;
        case Kpi::kGuestCpu:
            return 0.01;
        case Kpi::kDiskBytes:
            return 1024;
        case Kpi::kErrorRate:
            break;
    }
    return 0;
}

std::optional<double> mean_response(std::span<const model::KpiWindow> windows) {
    double sum = 0;
    double count = 0;
    for (const auto& window : windows) {
        for (const auto& bucket : window.response_time) {
            sum += static_cast<double>(bucket.value_us) * static_cast<double>(bucket.count);
            count += static_cast<double>(bucket.count);
        }
    }
    if (count == 0) return std::nullopt;
    return sum / count;
}

double count_of(std::span<const model::HistogramBucket> buckets) noexcept {
    double count = 0;
    for (const auto& bucket : buckets)
        count += static_cast<double>(bucket.count);
    return count;
}

/// Smallest value with at least `wanted` counts at or below it, buckets in any order; halves what is left, O(n).
double select(std::span<model::HistogramBucket> buckets, double wanted) {
    const auto value = &model::HistogramBucket::value_us;
    while (buckets.size() > 1) {
        const std::size_t half = buckets.size() / 2;
        std::ranges::nth_element(buckets, buckets.begin() + static_cast<std::ptrdiff_t>(half), {}, value);
        const double below = count_of(buckets.first(half));
        if (below >= wanted) {
            buckets = buckets.first(half);
        } else {
            buckets = buckets.subspan(half);
            wanted -= below;
        }
    }
    return static_cast<double>(buckets.front().value_us);
}

std::optional<double> response_quantile(std::span<const model::KpiWindow> windows, double q) {
    std::vector<model::HistogramBucket> all;
    for (const auto& window : windows)
        all.insert(all.end(), window.response_time.begin(), window.response_time.end());
    const double count = count_of(all);
    if (count == 0) return std::nullopt;
    return select(all, q * count);
}

double seconds_of(std::span<const model::KpiWindow> windows) noexcept {
    double seconds = 0;
    for (const auto& window : windows)
        seconds += std::chrono::duration<double>(window.length).count();
    return seconds;
}

}  // namespace

std::string_view to_string(Kpi kpi) noexcept {
    return std::ranges::find(kNames, kpi, &std::pair<Kpi, std::string_view>::first)->second;
}

Result<Kpi> kpi_from_string(std::string_view name) {
    const auto found = std::ranges::find(kNames, name, &std::pair<Kpi, std::string_view>::second);
    if (found != kNames.end()) return found->first;
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("\"{}\" is no KPI: write response_time_mean, response_time_p95, response_time_p99, "
                            "error_rate, guest_cpu or disk_bytes",
                            name));
}

Attempts attempts_of(std::span<const model::KpiWindow> windows) noexcept {
    Attempts sum;
    for (const auto& window : windows) {
        const auto& ledger = window.ledger;
        // a reset or a timeout may stand in `errors`, in the ledger, or in both: the larger account is the whole one
        const std::uint64_t unfinished = ledger.lost_timeout + ledger.lost_reset;
        const std::uint64_t requests = std::max(window.requests, ledger.replayed + unfinished) + ledger.lost_connect;
        sum.requests += requests;
        sum.failures += std::min(requests, std::max(window.errors, unfinished) + ledger.lost_connect);
    }
    return sum;
}

std::optional<double> kpi_value(Kpi kpi, std::span<const model::KpiWindow> windows) {
    const double seconds = seconds_of(windows);
    if (windows.empty() || seconds <= 0) return std::nullopt;
    switch (kpi) {
        case Kpi::kResponseTimeMean:
            return mean_response(windows);
        case Kpi::kResponseTimeP95:
            return response_quantile(windows, 0.95);
        case Kpi::kResponseTimeP99:
            return response_quantile(windows, 0.99);
        case Kpi::kErrorRate: {
            const Attempts attempts = attempts_of(windows);
            if (attempts.requests == 0) return std::nullopt;
            return static_cast<double>(attempts.failures) / static_cast<double>(attempts.requests);
        }
        case Kpi::kGuestCpu: {
            double busy = 0;
            for (const auto& window : windows) {
                busy += window.guest_cpu_share * std::chrono::duration<double>(window.length).count();
            }
            return std::isfinite(busy) ? std::optional(busy / seconds) : std::nullopt;
        }
        case Kpi::kDiskBytes: {
            double bytes = 0;
            for (const auto& window : windows) {
                bytes += static_cast<double>(window.disk_read_bytes) + static_cast<double>(window.disk_write_bytes);
            }
            return bytes / seconds;
        }
    }
    return std::nullopt;
}

double comparable(Kpi kpi, double value) noexcept {
    return kpi == Kpi::kErrorRate ? value : std::log(std::max(value, floor_of(kpi)));
}

double effect_of(Kpi kpi, double shift) noexcept {
    return kpi == Kpi::kErrorRate ? shift : std::expm1(shift);
}

double shift_of(Kpi kpi, double effect) noexcept {
    return kpi == Kpi::kErrorRate ? effect : std::log1p(effect);
}

std::string in_words(Kpi kpi, double effect) {
    return kpi == Kpi::kErrorRate ? fmt::format("{:+.2f} points", 100 * effect)
                                  : fmt::format("{:+.1f} %", 100 * effect);
}

}  // namespace penumbra::analysis::judge
