#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::analysis::capacity {

/// One sound step of a load trial (staircase.hpp), or production as it was observed.
struct QueuePoint {
    unsigned servers = 0;     ///< vCPUs of what was measured
    double per_second = 0;    ///< answered
    double busy = 0;          ///< vCPUs busy in the mean
    double response_s = 0;    ///< mean
    double response_q_s = 0;  ///< the objective's quantile; 0 when it was not measured
};

/// The models, the simplest first: M/M/c with a wait factor (Allen and Cunneen's G/G/c); service that is stretched by
/// what runs beside it (Universal Scalability Law); a serial place all have to pass; both.
enum class QueueModel : std::uint8_t { kParallel, kStretched, kSerial, kBoth };
inline constexpr std::size_t kQueueModels = 4;
[[nodiscard]] std::string_view to_string(QueueModel model) noexcept;

/// A fitted server. Service with n busy beside it takes service_s (1 + sigma n + kappa n (n + 1)). Value type.
struct QueueFit {
    QueueModel model = QueueModel::kParallel;
    double service_s = 0;  ///< alone
    double sigma = 0;
    double kappa = 0;
    double offset_s = 0;        ///< of every response that no queue explains: network, what is not on a vCPU
    double serial_s = 0;        ///< at the serial place, alone
    double wait_factor = 1;     ///< (Ca^2 + Cs^2) / 2: 1 for M/M/c, 1/2 for constant service
    double tail_factor = 1;     ///< measured quantile over the model's
    double service_error = 0;   ///< left-one-out: root mean square of the log of the service time
    double response_error = 0;  ///< and of the mean response, busy steps counting less
};

/// Something else a request uses: disk, network. `servers` as there will be of it at the size that is asked for.
struct OtherResource {
    std::string name;
    double demand_s = 0;  ///< busy time a request: utilisation over throughput
    double servers = 1;
};

struct QueueQuestion {
    std::span<const QueuePoint> points;
    unsigned servers = 0;    ///< vCPUs that are asked for
    double quantile = 0.95;  ///< of the response
    double response_s = 0;   ///< that the quantile must not exceed; 0: no objective, saturation counts
    std::span<const OtherResource> others;
    std::span<const double> past_errors;  ///< relative errors of earlier predictions: |real / predicted - 1|
    double confidence = 0.9;
    std::uint64_t seed = 0x9e0e;
};

struct QueueAnswer {
    QueueFit fit;                             ///< the model that predicts best what it has not seen
    std::vector<QueueFit> all;                ///< every model
    std::array<double, kQueueModels> each{};  ///< what each of them predicts, a second
    double per_second = 0;
    model::Interval interval;
    std::string binding;      ///< used most at that rate: "vCPU", "serial part", or the name of another resource
    std::string explanation;  ///< model, binding resource and what the interval rests on, in one or two sentences
};

/// Fits one model. Service times by non-negative least squares on busy over throughput, serial place and wait factor on
/// the mean responses of steps below saturation. O(points * (servers + grid)). Errors: kInvalidArgument for fewer than
/// 3 points, a number that is not above 0, or more busy than there are.
[[nodiscard]] Result<QueueFit> fit_queue(std::span<const QueuePoint> points, double quantile, QueueModel model);

/// The highest rate at which a fitted server of a size holds an objective, and what binds there.
struct QueueLimit {
    double per_second = 0;
    std::string binding;
};
/// O(servers * log). Errors: kInvalidArgument for no server or above limits::kServersMax, or an objective without
/// meaning.
[[nodiscard]] Result<QueueLimit> queue_limit(const QueueFit& fit, const QueueQuestion& question);

/// Capacity at another size from load trials at smaller ones. A stretched model is chosen by the left-one-out error of
/// the service times, a serial place by that of the mean responses: each must lower it by a tenth. The interval is the
/// wider of a residual bootstrap (which alone is far too narrow) and of the split-conformal radius of past errors.
/// Errors: as fit_queue and queue_limit; kUnsupported for a size over limits::kScaleBeyondMax times the largest
/// measured one: production's own points are the way out.
[[nodiscard]] Result<QueueAnswer> predict_queue(const QueueQuestion& question);

}  // namespace penumbra::analysis::capacity
