#pragma once

#include <array>
#include <cstddef>

namespace penumbra::analysis::forecast {

/// The Theta method without its seasons (Assimakopoulos and Nikolopoulos, IJF 16, 2000; Hyndman and Billah, IJF 19,
/// 2003): simple exponential smoothing plus half of the least-squares slope. The rate is the one of five whose one-step
/// errors were least over the last day; the slope counts for a few hours only, because trends extrapolate fatally.
/// Value type; O(1) an update and a step ahead.
class Theta {
 public:
    void update(double value, std::size_t per_day) noexcept;
    [[nodiscard]] double ahead(std::size_t ahead, std::size_t per_hour) const noexcept;

    template <class Archive>
    void walk(Archive& archive) {
        for (double& level : levels_)
            archive(level);
        for (double& error : errors_)
            archive(error);
        archive(count_);
        archive(time_mean_);
        archive(value_mean_);
        archive(time_square_);
        archive(product_);
    }

 private:
    static constexpr std::array<double, 5> kRates = {0.03, 0.1, 0.3, 0.6, 0.95};
    std::array<double, kRates.size()> levels_{};
    std::array<double, kRates.size()> errors_{};
    double count_ = 0;
    double time_mean_ = 0;
    double value_mean_ = 0;
    double time_square_ = 0;
    double product_ = 0;
};

}  // namespace penumbra::analysis::forecast
