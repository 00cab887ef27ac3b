#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "coordinator/core/records.hpp"
#include "proto/model/api.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::coordinator {

/// Whose load over time, and which: "requests_per_second".
struct Series {
    GroupId group;
    std::string metric;
    friend auto operator<=>(const Series&, const Series&) = default;
};

/// The metric that is measured here, from production's KPI windows; every other one is only imported.
inline constexpr std::string_view kRequestRate = "requests_per_second";

struct MetricPoint {
    WallTime at{};
    double value = 0;  ///< in the metric's unit
    friend bool operator==(const MetricPoint&, const MetricPoint&) = default;
};

/// Which key speaks for a host.
struct EnrolledKey {
    HostId host;
    std::string public_key;  ///< Z85
    friend auto operator<=>(const EnrolledKey&, const EnrolledKey&) = default;
};

/// A one-use enrolment token; what is kept of it is its hash.
struct EnrolmentToken {
    std::string hash;
    HostId host;
    WallTime expires{};  ///< must outlast a restart, so by the wall clock
};

/// Port: what the coordinator remembers. Every verb is one transaction, durable when it returns; on an error nothing of
/// it was stored. Errors: kResourceExhausted, the disk or the store's own bound is full; kUnavailable, another
/// coordinator has it open or the disk does not answer; kDataLoss, what is stored does not read back; kUnsupported, a
/// later version wrote it. Thread-bound; a call may wait for the disk.
class Store {
 public:
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    Store(Store&&) = delete;
    Store& operator=(Store&&) = delete;
    virtual ~Store() = default;

    /// A new life: raises the epoch, above `above` too, commits that, and reads back what earlier lives committed.
    /// First, and once.
    [[nodiscard]] virtual Result<Image> open(Epoch above) = 0;
    /// All batches in one transaction, in their order.
    [[nodiscard]] virtual Result<void> commit(std::span<const Batch> batches) = 0;

    /// At most `count_max` events after a cursor, oldest first.
    [[nodiscard]] virtual Result<std::vector<model::EventView>> events(std::uint64_t after, std::size_t count_max) = 0;
    /// The windows of one vantage that begin in [from, to), in order of sequence, at most kItemsPerReplyMax.
    [[nodiscard]] virtual Result<std::vector<model::KpiWindow>> windows(const model::Vantage& vantage, WallTime from,
                                                                        WallTime to) = 0;

    /// Adds points to a series; one at the same time as another replaces it.
    [[nodiscard]] virtual Result<void> import_points(const Series& series, std::span<const MetricPoint> points) = 0;
    /// The latest kForecastHistoryMax points in order of time: imported ones, and of kRequestRate production's mean
    /// over each kHistoryBin.
    [[nodiscard]] virtual Result<std::vector<MetricPoint>> points(const Series& series) = 0;

    [[nodiscard]] virtual Result<std::vector<EnrolledKey>> keys() = 0;
    /// A token for a host; an earlier one for it is void.
    [[nodiscard]] virtual Result<void> keep_token(const EnrolmentToken& token) = 0;
    /// Takes a token's word for a key: it replaces the host's earlier one. Asked again by the same key it says the
    /// same, since the answer may have been lost. kPermissionDenied: no such token, expired, or used by another key.
    [[nodiscard]] virtual Result<HostId> redeem_token(const std::string& hash, const std::string& public_key,
                                                      WallTime now) = 0;
    /// The host's key and token are void.
    [[nodiscard]] virtual Result<void> revoke_key(const HostId& host) = 0;
};

}  // namespace penumbra::coordinator
