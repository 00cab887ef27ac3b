#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace penumbra::model {

/// Who a series speaks of: production's VM, or one arm of a shadow.
struct Vantage {
    GroupId group;
    ShadowId shadow;  ///< empty: production
    ArmId arm;        ///< empty: production
    friend auto operator<=>(const Vantage&, const Vantage&) = default;
};

/// One bucket of a log-linear histogram (3 significant digits): `count` values of about `value_us`.
struct HistogramBucket {
    std::uint64_t value_us = 0;
    std::uint64_t count = 0;
    friend bool operator==(const HistogramBucket&, const HistogramBucket&) = default;
};

/// What was lost on the way from production's wire to an arm's answer, each counted where it happens.
/// Invariant: captured == replayed + the sum of the losses, after sampling.
struct ReplayLedger {
    std::uint64_t captured = 0;  ///< exchanges seen to begin, admitted by the sampler; at a multiple, each copy
    std::uint64_t replayed = 0;  ///< exchanges whose answer the arm gave in full
    std::uint64_t lost_capture_drop = 0;  ///< a segment is missing, or no HTTP/1.1 that can be replayed as it stands
    std::uint64_t lost_spool_full = 0;    ///< the bounded file between cut and boot had no room
    std::uint64_t lost_connect = 0;       ///< the arm did not accept the connection
    std::uint64_t lost_timeout = 0;       ///< the arm did not answer in time
    std::uint64_t lost_reset = 0;         ///< the arm closed the connection before the whole answer
    std::uint64_t lost_not_sent = 0;      ///< replay ended, or was too late, before it was sent
    friend bool operator==(const ReplayLedger&, const ReplayLedger&) = default;
};

/// The facts of one fixed window at one vantage. Windows are acknowledged end to end; none is silently lost.
struct KpiWindow {
    Vantage vantage;
    std::uint64_t sequence = 0;  ///< per vantage, grows by one a window
    WallTime begin{};
    std::chrono::milliseconds length{0};
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;                    ///< status 5xx, reset, timeout
    std::vector<HistogramBucket> response_time;  ///< first byte of the request to last byte of the response
    double guest_cpu_share = 0;                  ///< vCPU time over wall time, of all vCPUs together; 1.0 = one core
    std::uint64_t disk_read_bytes = 0;
    std::uint64_t disk_write_bytes = 0;
    ReplayLedger ledger;  ///< of this window; arms only
    friend bool operator==(const KpiWindow&, const KpiWindow&) = default;
};

}  // namespace penumbra::model
