#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "proto/model/kpi.hpp"
#include "proto/model/trial.hpp"

namespace penumbra::coordinator {

/// The latest KPI windows of every vantage, in order of sequence. Pure; at most kKpiWindowsPerVantageMax a vantage.
class KpiSeries {
 public:
    /// False when this window, or a later one, was taken already.
    bool add(model::KpiWindow window);
    [[nodiscard]] std::uint64_t last(const model::Vantage& vantage) const;
    /// True once a window that ends at or after `span.to` has come: what is missing before it will not come.
    [[nodiscard]] bool covers(const model::Vantage& vantage, const model::TrialSpan& span) const;
    /// Windows that lie wholly in the span.
    [[nodiscard]] std::vector<model::KpiWindow> within(const model::Vantage& vantage,
                                                       const model::TrialSpan& span) const;
    void forget(const model::Vantage& vantage) { series_.erase(vantage); }

 private:
    std::map<model::Vantage, std::deque<model::KpiWindow>> series_;
};

}  // namespace penumbra::coordinator
