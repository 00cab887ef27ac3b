#pragma once

#include "base/result.hpp"

namespace penumbra::analysis::capacity {

/// What an arrival meets at `servers` parallel servers of which `busy` are busy in the mean (M/M/c, PASTA).
struct Meeting {
    double waits = 0;   ///< probability that all are busy: Erlang's C
    double others = 0;  ///< mean number of other servers busy while it is served
    double pairs = 0;   ///< mean of (others + 1) others: with `others`, what the Universal Scalability Law counts
};

/// Erlang (1917), by the recursion of his B formula: no overflow, relative error 1e-14 up to thousands of servers. With
/// all of them busy all the time (busy = servers) everyone waits, and others = servers - 1. O(servers). Errors:
/// kInvalidArgument for no server or above limits::kServersMax, or busy outside [0, servers].
[[nodiscard]] Result<Meeting> meet(unsigned servers, double busy);

/// A request's way: it waits (exponential, mean `wait_s`) with probability `waits`, is served (exponential, mean
/// `service_s`), then passes one serial place (exponential, mean `serial_s`, its queue included; 0: there is none).
struct Passage {
    double waits = 0;
    double wait_s = 0;
    double service_s = 0;
    double serial_s = 0;

    [[nodiscard]] double mean_s() const noexcept { return waits * wait_s + service_s + serial_s; }
    /// P(T > t); exact for M/M/c, a product form for the serial place (Jackson 1957).
    [[nodiscard]] double beyond(double t) const noexcept;
    /// t with P(T <= t) = q, relative error 1e-9; q in [0, 1).
    [[nodiscard]] double quantile_s(double q) const noexcept;
};

}  // namespace penumbra::analysis::capacity
