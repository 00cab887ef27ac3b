#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analysis/histogram.hpp"
#include "base/clock.hpp"
#include "proto/model/kpi.hpp"
#include "replay/exchange.hpp"

namespace penumbra::replay {

/// Both ledgers' counts added: windows' ledgers sum up to a replay's.
[[nodiscard]] model::ReplayLedger sum_of(const model::ReplayLedger& a, const model::ReplayLedger& b);
/// Everything that was captured and not replayed, whatever the reason.
[[nodiscard]] std::uint64_t losses_of(const model::ReplayLedger& ledger);

/// Exchanges of one vantage gathered into windows that begin on whole wall seconds; empty windows included, numbered
/// without a hole from the second in which the series began. An exchange counts where its response ended; one that
/// comes after its window was closed counts in the oldest open one. Guest CPU and disk are the agent's to fill in.
/// Thread-bound; pure.
class KpiSeries {
 public:
    KpiSeries(model::Vantage vantage, WallTime now);

    /// `wall_ahead` is wall time minus boot time, now.
    void add(const Exchange& exchange, std::chrono::nanoseconds wall_ahead);
    /// The windows that have ended and settled by `now`. `ledger` is what happened since the last call: it goes into
    /// the last of them, and is left alone when there is none.
    [[nodiscard]] std::vector<model::KpiWindow> close(WallTime now, model::ReplayLedger& ledger);

 private:
    struct Counts {
        std::uint64_t requests = 0;
        std::uint64_t errors = 0;
        analysis::Histogram response_time;
    };
    [[nodiscard]] model::KpiWindow window_at(std::int64_t index);
    void gather();

    model::Vantage vantage_;
    std::int64_t oldest_open_;     // window's number since the wall clock's epoch
    std::uint64_t next_sequence_;  // begins at oldest_open_: a next life goes on above a former one
    std::map<std::int64_t, Counts> open_;
};

}  // namespace penumbra::replay
