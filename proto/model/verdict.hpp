#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penumbra::model {

enum class VerdictKind : unsigned char { kPass, kFail, kInconclusive, kInvalid, kAborted };
[[nodiscard]] std::string_view to_string(VerdictKind kind) noexcept;

/// An interval of a quantity, with the confidence it was made for.
struct Interval {
    double low = 0;
    double high = 0;
    double confidence = 0.95;
    friend bool operator==(const Interval&, const Interval&) = default;
};

/// What one KPI says: enough to see why the verdict is what it is, and to check it by hand.
struct KpiEvidence {
    std::string kpi;  ///< "response_time_mean", "response_time_p95", "error_rate", "guest_cpu"
    VerdictKind verdict = VerdictKind::kInconclusive;
    std::uint64_t n = 0;     ///< pairs of windows
    double effective_n = 0;  ///< after autocorrelation
    double effect = 0;       ///< relative: 0.3 is 30 % more in the treated arm
    Interval interval;       ///< of the effect
    double p_value = 1;      ///< of harm, after Holm's correction
    double power = 0;        ///< to see an effect of the margin, at this n
    double margin = 0;       ///< the effect that counts as harm
    std::string reason;      ///< one sentence
    friend bool operator==(const KpiEvidence&, const KpiEvidence&) = default;
};

struct Verdict {
    VerdictKind kind = VerdictKind::kInconclusive;
    std::string reason;  ///< one sentence that names the KPI, the guard or what is missing
    std::uint64_t n = 0;
    double effective_n = 0;
    double power = 0;
    std::vector<KpiEvidence> evidence;
    /// How much more data would decide, when INCONCLUSIVE and more data can.
    std::optional<std::chrono::seconds> more_needed;
    friend bool operator==(const Verdict&, const Verdict&) = default;
};

}  // namespace penumbra::model
