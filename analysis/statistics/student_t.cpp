#include "analysis/statistics/student_t.hpp"

#include <cmath>
#include <limits>

#include "analysis/statistics/binomial.hpp"

namespace penumbra::analysis::statistics {

double student_t_quantile(double p, double degrees) noexcept {
    if (!(p > 0)) return -std::numeric_limits<double>::infinity();
    if (!(p < 1)) return std::numeric_limits<double>::infinity();
    if (p > 0.5) return -student_t_quantile(1 - p, degrees);
    // 2 P(T <= -t) = I_x(degrees / 2, 1/2) with x = degrees / (degrees + t^2)
    const double x = beta_quantile(degrees / 2, 0.5, 2 * p);
    return -std::sqrt(degrees * (1 - x) / x);
}

}  // namespace penumbra::analysis::statistics
