#include "analysis/statistics/autocorrelation.hpp"

#include <algorithm>

#include "analysis/statistics/sample.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::statistics {

namespace {

/// Centred series, ready for one lag at a time: callers stop as soon as they know enough.
class Correlogram {
 public:
    explicit Correlogram(std::span<const double> values) : centred_(values.begin(), values.end()) {
        const double centre = mean(values);
        for (double& v : centred_) {
            v -= centre;
            squares_ += v * v;
        }
    }
    [[nodiscard]] double at(std::size_t lag) const noexcept {
        if (lag == 0) return 1;
        if (squares_ <= 0 || lag >= centred_.size()) return 0;
        double sum = 0;
        for (std::size_t t = 0; t + lag < centred_.size(); ++t)
            sum += centred_[t] * centred_[t + lag];
        return sum / squares_;
    }

 private:
    std::vector<double> centred_;
    double squares_ = 0;
};

}  // namespace

Result<std::vector<double>> autocorrelation(std::span<const double> values, std::size_t lag_max) {
    TRY(check_sample(values, 2, "the autocorrelation"));
    const Correlogram series(values);
    std::vector<double> rho(std::min(lag_max, values.size() - 1) + 1);
    for (std::size_t lag = 0; lag < rho.size(); ++lag)
        rho[lag] = series.at(lag);
    return rho;
}

Result<double> integrated_time(std::span<const double> values) {
    TRY(check_sample(values, 2, "the autocorrelation time"));
    const Correlogram series(values);
    const std::size_t lag_max = std::min(values.size() / 2, limits::kAutocorrelationLagMax);
    double sum = -1;
    for (std::size_t lag = 0; lag + 1 <= lag_max; lag += 2) {
        const double pair = series.at(lag) + series.at(lag + 1);
        if (pair <= 0) break;
        sum += 2 * pair;
    }
    return std::max(1.0, sum);
}

Result<std::size_t> first_lag_below(std::span<const double> values, double threshold) {
    TRY(check_sample(values, 2, "the autocorrelation"));
    const Correlogram series(values);
    const auto n = static_cast<double>(values.size());
    const std::size_t lag_max = std::clamp<std::size_t>(values.size() / 4, 1, limits::kAutocorrelationLagMax);
    for (std::size_t lag = 1; lag < lag_max; ++lag) {
        const double rho = series.at(lag);
        if (rho + (1 + 4 * rho) / n < threshold) return lag;
    }
    return lag_max;
}

}  // namespace penumbra::analysis::statistics
