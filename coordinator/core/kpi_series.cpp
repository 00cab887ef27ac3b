#include "coordinator/core/kpi_series.hpp"

#include <utility>

#include "base/limits/coordinator.hpp"

namespace penumbra::coordinator {

bool KpiSeries::add(model::KpiWindow window) {
    auto& windows = series_[window.vantage];
    if (!windows.empty() && window.sequence <= windows.back().sequence) return false;
    if (windows.size() == limits::kKpiWindowsPerVantageMax) windows.pop_front();
    windows.push_back(std::move(window));
    return true;
}

std::uint64_t KpiSeries::last(const model::Vantage& vantage) const {
    const auto found = series_.find(vantage);
    return found == series_.end() || found->second.empty() ? 0 : found->second.back().sequence;
}

bool KpiSeries::covers(const model::Vantage& vantage, const model::TrialSpan& span) const {
    const auto found = series_.find(vantage);
    if (found == series_.end() || found->second.empty()) return false;
    const model::KpiWindow& newest = found->second.back();
    return newest.begin + newest.length >= span.to;
}

std::vector<model::KpiWindow> KpiSeries::within(const model::Vantage& vantage, const model::TrialSpan& span) const {
    std::vector<model::KpiWindow> inside;
    const auto found = series_.find(vantage);
    if (found == series_.end()) return inside;
    for (const model::KpiWindow& window : found->second) {
        if (window.begin >= span.from && window.begin + window.length <= span.to) inside.push_back(window);
    }
    return inside;
}

}  // namespace penumbra::coordinator
