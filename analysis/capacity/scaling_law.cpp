#include "analysis/capacity/scaling_law.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "analysis/capacity/hindcast.hpp"
#include "analysis/random.hpp"
#include "analysis/statistics/sample.hpp"
#include "base/limits.hpp"

namespace penumbra::analysis::capacity {

namespace {

constexpr int kStepsMax = 200;
constexpr std::size_t kReplicates = 500;
using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

/// Solves A x = b for a small symmetric A by elimination with pivots; a pivot that vanishes leaves its unknown 0.
Vector solve(Matrix a, Vector b, std::size_t unknowns) {
    std::array<std::size_t, 3> row = {0, 1, 2};
    for (std::size_t c = 0; c < unknowns; ++c) {
        for (std::size_t r = c + 1; r < unknowns; ++r) {
            if (std::abs(a[row[r]][c]) > std::abs(a[row[c]][c])) std::swap(row[r], row[c]);
        }
        if (a[row[c]][c] == 0) continue;
        for (std::size_t r = c + 1; r < unknowns; ++r) {
            const double factor = a[row[r]][c] / a[row[c]][c];
            for (std::size_t k = c; k < unknowns; ++k)
                a[row[r]][k] -= factor * a[row[c]][k];
            b[row[r]] -= factor * b[row[c]];
        }
    }
    Vector x{};
    for (std::size_t c = unknowns; c-- > 0;) {
        double rest = b[row[c]];
        for (std::size_t k = c + 1; k < unknowns; ++k)
            rest -= a[row[c]][k] * x[k];
        x[c] = a[row[c]][c] != 0 ? rest / a[row[c]][c] : 0;
    }
    return x;
}

double squares(const ScalingLaw& law, std::span<const ScalePoint> points) noexcept {
    double sum = 0;
    for (const auto& [size, throughput] : points)
        sum += (throughput - law.at(size)) * (throughput - law.at(size));
    return sum;
}

/// The linear form N / X = 1 / lambda + sigma / lambda (N - 1) + kappa / lambda N (N - 1), weighted by X^2.
ScalingLaw linear_start(std::span<const ScalePoint> points, std::size_t unknowns) {
    Matrix a{};
    Vector b{};
    for (const auto& [n, x] : points) {
        const Vector terms = {1, n - 1, n * (n - 1)};
        for (std::size_t i = 0; i < unknowns; ++i) {
            for (std::size_t k = 0; k < unknowns; ++k)
                a[i][k] += x * x * terms[i] * terms[k];
            b[i] += x * x * terms[i] * n / x;
        }
    }
    const Vector v = solve(a, b, unknowns);
    if (!(v[0] > 0)) return {.lambda = points.front().throughput / points.front().size};
    return {.lambda = 1 / v[0], .sigma = std::max(0.0, v[1] / v[0]), .kappa = std::max(0.0, v[2] / v[0])};
}

ScalingLaw refine(ScalingLaw law, std::span<const ScalePoint> points, std::size_t unknowns) {
    double damping = 1e-3;
    double error = squares(law, points);
    for (int step = 0; step < kStepsMax && damping < 1e12; ++step) {
        Matrix a{};
        Vector b{};
        for (const auto& [n, x] : points) {
            const double below = 1 + law.sigma * (n - 1) + law.kappa * n * (n - 1);
            const double value = law.lambda * n / below;
            const Vector slope = {value / law.lambda, -value * (n - 1) / below, -value * n * (n - 1) / below};
            for (std::size_t i = 0; i < unknowns; ++i) {
                for (std::size_t k = 0; k < unknowns; ++k)
                    a[i][k] += slope[i] * slope[k];
                b[i] += slope[i] * (x - value);
            }
        }
        for (std::size_t i = 0; i < unknowns; ++i)
            a[i][i] *= 1 + damping;
        const Vector move = solve(a, b, unknowns);
        const ScalingLaw tried{.lambda = law.lambda + move[0],
                               .sigma = std::max(0.0, law.sigma + move[1]),
                               .kappa = std::max(0.0, law.kappa + move[2])};
        const double now = tried.lambda > 0 ? squares(tried, points) : INFINITY;
        if (!(now < error)) {
            damping *= 10;
            continue;
        }
        const bool still = error - now <= 1e-15 * error;
        law = tried;
        error = now;
        damping = std::max(damping / 10, 1e-12);
        if (still) break;
    }
    return law;
}

std::size_t sizes_of(std::span<const ScalePoint> points) {
    std::set<double> sizes;
    for (const auto& point : points)
        sizes.insert(point.size);
    return sizes.size();
}

/// Throughputs at `size` of laws fitted to the fitted values with residuals drawn anew, in rising order.
Result<std::vector<double>> replicas(const ScalingLaw& law, std::span<const ScalePoint> points, double size,
                                     std::uint64_t seed) {
    Random random(seed);
    std::vector<double> ratios;
    for (const auto& [n, x] : points)
        ratios.push_back(x / law.at(n));
    // residuals of a fit are smaller than errors are
    const auto n = static_cast<double>(points.size());
    const double inflate = n > 3 ? std::sqrt(n / (n - 3)) : 2;
    std::vector<double> values;
    for (std::size_t r = 0; r < kReplicates; ++r) {
        std::vector<ScalePoint> drawn(points.begin(), points.end());
        for (auto& point : drawn) {
            const double away = inflate * (ratios[random.below(ratios.size())] - 1);
            point.throughput = law.at(point.size) * std::max(0.05, 1 + away);
        }
        values.push_back(TRY(fit_scaling_law(drawn)).at(size));
    }
    std::ranges::sort(values);
    return values;
}

}  // namespace

double ScalingLaw::at(double size) const noexcept {
    return lambda * size / (1 + sigma * (size - 1) + kappa * size * (size - 1));
}

std::optional<double> ScalingLaw::peak() const noexcept {
    if (kappa <= 0 || sigma >= 1) return std::nullopt;
    return std::sqrt((1 - sigma) / kappa);
}

Result<ScalingLaw> fit_scaling_law(std::span<const ScalePoint> points) {
    const auto usable = [](const ScalePoint& point) {
        return point.size > 0 && point.throughput > 0 && std::isfinite(point.size + point.throughput);
    };
    if (points.size() > limits::kSampleValuesMax || !std::ranges::all_of(points, usable)) {
        return fail(ErrorCode::kInvalidArgument, "a scaling law needs sizes and throughputs above 0");
    }
    const std::size_t sizes = sizes_of(points);
    if (sizes < 2) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} size says nothing of how throughput scales: measure at 2, better at 4", sizes));
    }
    const std::size_t unknowns = std::min<std::size_t>(sizes, 3);
    return refine(linear_start(points, unknowns), points, unknowns);
}

Result<ScaleAnswer> predict_throughput(const ScaleQuestion& question) {
    if (!(question.size > 0) || !std::isfinite(question.size) ||
        !(question.confidence > 0 && question.confidence < 1)) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("a size of {} at confidence {} cannot be asked for",
                                                             question.size, question.confidence));
    }
    std::vector<ScalePoint> points(question.points.begin(), question.points.end());
    double largest = 0;
    for (const auto& point : points)
        largest = std::max(largest, point.size);
    const bool anchored =
        question.anchor && question.size <= 2 * question.anchor->size && question.size >= question.anchor->size / 2;
    if (question.size > limits::kScaleBeyondMax * largest && !anchored) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("a size of {} is over {} times the largest that was measured ({}): measure a larger "
                                "shadow, or name production's own throughput at a size close to it",
                                question.size, limits::kScaleBeyondMax, largest));
    }
    if (question.anchor) points.push_back(*question.anchor);
    ScaleAnswer answer{.law = TRY(fit_scaling_law(points))};
    answer.throughput = answer.law.at(question.size);
    const auto values = TRY(replicas(answer.law, points, question.size, question.seed));
    const double tail = (1 - question.confidence) / 2;
    answer.interval = {.low = statistics::quantile_sorted(values, tail),
                       .high = statistics::quantile_sorted(values, 1 - tail),
                       .confidence = question.confidence};
    const auto radius = hindcast_radius(question.past_errors, question.confidence);
    if (radius) {
        answer.interval.low = std::min(answer.interval.low, answer.throughput * std::max(0.0, 1 - *radius));
        answer.interval.high = std::max(answer.interval.high, answer.throughput * (1 + *radius));
    }
    answer.interval.low = std::min(answer.interval.low, answer.throughput);
    answer.interval.high = std::max(answer.interval.high, answer.throughput);
    answer.explanation =
        fmt::format("{} sizes up to {}{}; contention {:.3g}, coherency {:.3g}; interval from {}", sizes_of(points),
                    largest, anchored ? ", production as anchor" : "", answer.law.sigma, answer.law.kappa,
                    radius ? fmt::format("{} earlier predictions", question.past_errors.size())
                           : std::string("the fit's own residuals only: no earlier predictions to judge it by"));
    return answer;
}

}  // namespace penumbra::analysis::capacity
