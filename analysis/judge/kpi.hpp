#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::analysis::judge {

/// What a judge compares between arms; more is worse for each of them.
enum class Kpi : unsigned char {
    kResponseTimeMean,  ///< microseconds; compared as a ratio
    kResponseTimeP95,   ///< microseconds; compared as a ratio
    kResponseTimeP99,   ///< the same
    kErrorRate,         ///< failed share of the requests; compared as a difference of shares
    kGuestCpu,          ///< vCPU time over wall time; compared as a ratio
    kDiskBytes,         ///< bytes a second, read and written; compared as a ratio
};

/// "response_time_mean", "response_time_p95", "response_time_p99", "error_rate", "guest_cpu", "disk_bytes": as evidence
/// and trial files say.
[[nodiscard]] std::string_view to_string(Kpi kpi) noexcept;
/// Errors: kInvalidArgument that lists the names.
[[nodiscard]] Result<Kpi> kpi_from_string(std::string_view name);

/// Requests put to an arm and those it failed: its errors, and what replay could not connect, complete or wait for.
struct Attempts {
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
};
[[nodiscard]] Attempts attempts_of(std::span<const model::KpiWindow> windows) noexcept;

/// The KPI over windows taken together (histograms merged, times added); nullopt when nothing was answered or tried.
[[nodiscard]] std::optional<double> kpi_value(Kpi kpi, std::span<const model::KpiWindow> windows);

/// What makes two arms' values comparable on one scale: log of the value (floored, so that 0 has one), or the share.
[[nodiscard]] double comparable(Kpi kpi, double value) noexcept;
/// A shift on that scale as evidence states it: exp(shift) - 1, or the difference of shares itself; and back.
[[nodiscard]] double effect_of(Kpi kpi, double shift) noexcept;
[[nodiscard]] double shift_of(Kpi kpi, double effect) noexcept;
/// An effect as a reader says it: "+12.3 %", or for shares "+1.25 points".
[[nodiscard]] std::string in_words(Kpi kpi, double effect);

}  // namespace penumbra::analysis::judge
