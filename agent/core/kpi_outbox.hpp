#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/clock.hpp"
#include "proto/model/kpi.hpp"
#include "proto/model/session.hpp"

namespace penumbra::agent {

/// KPI windows on their way to the coordinator. One report is out at a time and begins at the oldest window without
/// acknowledgement, so that none can overtake another. Pure; at most kKpiWindowsUnackedMax windows, beyond which the
/// oldest of the longest series is dropped and counted.
class KpiOutbox {
 public:
    /// False when this window was acknowledged already: its source did not hear of it.
    bool add(model::KpiWindow window);
    /// Windows to send now: nothing while a report is out, unless it has been out for `patience`.
    [[nodiscard]] std::optional<model::KpiReport> next(Instant now, std::chrono::milliseconds patience);
    void acknowledge(const model::Vantage& vantage, std::uint64_t up_to);
    /// A new session: whatever was out may be lost.
    void restart() noexcept { out_since_.reset(); }
    /// The last acknowledged sequence of a vantage; 0 when none is.
    [[nodiscard]] std::uint64_t acknowledged(const model::Vantage& vantage) const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
    struct Series {
        std::deque<model::KpiWindow> waiting;
        std::uint64_t acknowledged = 0;
        std::uint64_t last = 0;
    };
    std::map<model::Vantage, Series> series_;
    std::optional<Instant> out_since_;
    std::size_t size_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace penumbra::agent
