#include "agent/core/kpi_outbox.hpp"

#include <algorithm>
#include <utility>

#include "base/limits/agent.hpp"

namespace penumbra::agent {

bool KpiOutbox::add(model::KpiWindow window) {
    if (series_.size() > limits::kKpiVantagesMax)
        std::erase_if(series_, [](const auto& item) { return item.second.waiting.empty(); });
    Series& series = series_[window.vantage];
    if (window.sequence <= series.acknowledged) return false;
    if (window.sequence <= series.last) return true;  // its source sent it again; it is waiting here
    series.last = window.sequence;
    if (size_ == limits::kKpiWindowsUnackedMax) {
        auto& longest =
            std::ranges::max_element(series_, {}, [](const auto& item) { return item.second.waiting.size(); })->second;
        longest.waiting.pop_front();
        --size_;
        ++dropped_;
    }
    series.waiting.push_back(std::move(window));
    ++size_;
    return true;
}

std::optional<model::KpiReport> KpiOutbox::next(Instant now, std::chrono::milliseconds patience) {
    if (size_ == 0) return std::nullopt;
    if (out_since_.has_value() && now - *out_since_ < patience) return std::nullopt;
    model::KpiReport report;
    for (const auto& [vantage, series] : series_) {
        for (const model::KpiWindow& window : series.waiting) {
            if (report.windows.size() == limits::kKpiWindowsPerReportMax) break;
            report.windows.push_back(window);
        }
    }
    out_since_ = now;
    return report;
}

void KpiOutbox::acknowledge(const model::Vantage& vantage, std::uint64_t up_to) {
    const auto found = series_.find(vantage);
    if (found == series_.end()) return;
    Series& series = found->second;
    series.acknowledged = std::max(series.acknowledged, std::min(up_to, series.last));
    while (!series.waiting.empty() && series.waiting.front().sequence <= up_to) {
        series.waiting.pop_front();
        --size_;
    }
    out_since_.reset();
}

std::uint64_t KpiOutbox::acknowledged(const model::Vantage& vantage) const {
    const auto found = series_.find(vantage);
    return found == series_.end() ? 0 : found->second.acknowledged;
}

}  // namespace penumbra::agent
