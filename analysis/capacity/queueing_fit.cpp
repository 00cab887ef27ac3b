#include "analysis/capacity/queueing_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

#include <fmt/core.h>

#include "analysis/capacity/hindcast.hpp"
#include "analysis/capacity/queueing.hpp"
#include "analysis/random.hpp"
#include "analysis/statistics/sample.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::capacity {

namespace {

constexpr double kSaturated = 0.97;  ///< busier steps say how long service takes, and nothing of waiting
constexpr std::size_t kSerialSteps = 60;
constexpr std::size_t kReplicates = 200;
constexpr double kWaitFactorMin = 0.05;
constexpr double kSimplerShare = 0.9;  ///< of a simpler model's error that one with more parts must come below
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool is_stretched(QueueModel model) noexcept {
    return model == QueueModel::kStretched || model == QueueModel::kBoth;
}

bool is_serial(QueueModel model) noexcept {
    return model == QueueModel::kSerial || model == QueueModel::kBoth;
}

Result<void> check(std::span<const QueuePoint> points, double quantile) {
    if (points.size() < 3 || points.size() > limits::kQueuePointsMax || !(quantile > 0 && quantile < 1)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a queueing fit needs 3 to {} points and a quantile between 0 and 1, not {} and {}",
                                limits::kQueuePointsMax, points.size(), quantile));
    }
    for (const auto& point : points) {
        const bool whole = point.servers > 0 && point.servers <= limits::kServersMax && point.per_second > 0 &&
                           point.busy > 0 && point.busy <= point.servers && point.response_s > 0 &&
                           point.response_q_s >= 0 &&
                           std::isfinite(point.per_second + point.response_s + point.response_q_s);
        if (!whole) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("a step of {} answers a second with {} of {} vCPUs busy and a response of {} s "
                                    "cannot be fitted",
                                    point.per_second, point.busy, point.servers, point.response_s));
        }
    }
    return {};
}

double service_at(const QueueFit& fit, const Meeting& met) noexcept {
    return fit.service_s * (1 + fit.sigma * met.others + fit.kappa * met.pairs);
}

/// Weight of a relative error of a step's mean response: the busier, the longer its queues last and the less it says.
double trust(const QueuePoint& point) noexcept {
    return 1 - point.busy / point.servers;
}

/// Waiting for the serial place, without being served there; inf at its limit and beyond.
double serial_wait(double serial_s, double per_second) noexcept {
    const double used = serial_s * per_second;
    return used < 1 ? serial_s * used / (1 - used) : kInfinity;
}

Passage passage(const QueueFit& fit, const Meeting& met, unsigned servers, double busy, double per_second) noexcept {
    const double service = service_at(fit, met);
    return {.waits = met.waits,
            .wait_s = fit.wait_factor * service / std::max(servers - busy, 1e-9),
            .service_s = service,
            .serial_s = serial_wait(fit.serial_s, per_second)};
}

/// Least squares of y on two non-negative terms, weighted; what would be negative is 0 and the other one is fitted
/// alone.
std::pair<double, double> two_terms(double aa, double ab, double bb, double ay, double by) noexcept {
    const double determinant = aa * bb - ab * ab;
    if (determinant > 1e-12 * aa * bb) {
        const double first = (bb * ay - ab * by) / determinant;
        const double second = (aa * by - ab * ay) / determinant;
        if (first >= 0 && second >= 0) return {first, second};
    }
    const double alone_a = aa > 0 ? std::max(0.0, ay / aa) : 0;
    const double alone_b = bb > 0 ? std::max(0.0, by / bb) : 0;
    // what each one explains: its coefficient times its product with y
    return alone_a * ay >= alone_b * by ? std::pair(alone_a, 0.0) : std::pair(0.0, alone_b);
}

/// Service time alone and how it is stretched: relative least squares of busy / throughput.
void fit_service(std::span<const QueuePoint> points, std::span<const Meeting> met, QueueFit& fit) {
    // service_s for any stretch is a mean of ratios; the stretch is found with it by turns
    for (int turn = 0; turn < 200; ++turn) {
        double sum = 0;
        double squares = 0;
        for (std::size_t i = 0; i < points.size(); ++i) {
            const double shape =
                (1 + fit.sigma * met[i].others + fit.kappa * met[i].pairs) * points[i].per_second / points[i].busy;
            sum += shape;
            squares += shape * shape;
        }
        const double before = fit.service_s;
        fit.service_s = sum / squares;
        if (!is_stretched(fit.model) || std::abs(fit.service_s - before) < 1e-12 * fit.service_s) return;
        double aa = 0;
        double ab = 0;
        double bb = 0;
        double ay = 0;
        double by = 0;
        for (std::size_t i = 0; i < points.size(); ++i) {
            const double unit = fit.service_s * points[i].per_second / points[i].busy;
            const double a = unit * met[i].others;
            const double b = unit * met[i].pairs;
            aa += a * a;
            ab += a * b;
            bb += b * b;
            ay += a * (1 - unit);
            by += b * (1 - unit);
        }
        std::tie(fit.sigma, fit.kappa) = two_terms(aa, ab, bb, ay, by);
    }
}

/// Offset and wait factor for a serial place of this length; returns the sum of squares of relative errors.
double fit_waiting(std::span<const QueuePoint> points, std::span<const Meeting> met, QueueFit& fit) {
    double aa = 0;
    double ab = 0;
    double bb = 0;
    double ay = 0;
    double by = 0;
    double yy = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto& point = points[i];
        if (point.busy > kSaturated * point.servers) continue;
        const double serial = serial_wait(fit.serial_s, point.per_second);
        if (!std::isfinite(serial)) return kInfinity;
        const double service = service_at(fit, met[i]);
        const double weight = trust(point) / point.response_s;
        const double a = weight;
        const double b = weight * met[i].waits * service / (point.servers - point.busy);
        const double y = weight * (point.response_s - service - serial);
        aa += a * a;
        ab += a * b;
        bb += b * b;
        ay += a * y;
        by += b * y;
        yy += y * y;
    }
    if (aa == 0) return 0;
    std::tie(fit.offset_s, fit.wait_factor) = two_terms(aa, ab, bb, ay, by);
    // where nobody waited nothing is known of waiting
    if (bb < 1e-6 * aa * std::pow(fit.service_s, 2)) fit.wait_factor = 1;
    fit.wait_factor = std::max(fit.wait_factor, kWaitFactorMin);
    return yy - 2 * (fit.offset_s * ay + fit.wait_factor * by) + fit.offset_s * fit.offset_s * aa +
           2 * fit.offset_s * fit.wait_factor * ab + fit.wait_factor * fit.wait_factor * bb;
}

void fit_serial(std::span<const QueuePoint> points, std::span<const Meeting> met, QueueFit& fit) {
    double fastest = 0;
    for (const auto& point : points)
        fastest = std::max(fastest, point.per_second);
    const auto tried = [&](double serial) {
        QueueFit other = fit;
        other.serial_s = serial;
        const double error = fit_waiting(points, met, other);
        return std::pair(error, other);
    };
    auto best = tried(0);
    double width = 1 / fastest / kSerialSteps;
    if (is_serial(fit.model)) {
        for (std::size_t i = 1; i < kSerialSteps; ++i) {
            auto next = tried(width * static_cast<double>(i));
            if (next.first < best.first) best = std::move(next);
        }
        for (; width > 1e-4 / fastest; width /= 2) {
            for (const double sign : {-1.0, 1.0}) {
                auto next = tried(std::max(0.0, best.second.serial_s + sign * width / 2));
                if (next.first < best.first) best = std::move(next);
            }
        }
    }
    fit = best.second;
}

void fit_tail(std::span<const QueuePoint> points, std::span<const Meeting> met, double quantile, QueueFit& fit) {
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto& point = points[i];
        if (point.response_q_s <= 0 || point.busy > kSaturated * point.servers) continue;
        const double expected =
            passage(fit, met[i], point.servers, point.busy, point.per_second).quantile_s(quantile) + fit.offset_s;
        if (!(expected > 0) || !std::isfinite(expected)) continue;
        sum += std::log(point.response_q_s / expected);
        count += 1;
    }
    fit.tail_factor = count > 0 ? std::exp(sum / count) : 1;
}

Result<std::vector<Meeting>> meetings(std::span<const QueuePoint> points) {
    std::vector<Meeting> met;
    for (const auto& point : points)
        met.push_back(TRY(meet(point.servers, point.busy)));
    return met;
}

QueueFit fit_with(std::span<const QueuePoint> points, std::span<const Meeting> met, double quantile, QueueModel model,
                  bool with_tail) {
    QueueFit fit{.model = model};
    fit_service(points, met, fit);
    fit_serial(points, met, fit);
    if (with_tail) fit_tail(points, met, quantile, fit);
    return fit;
}

/// Log of measured over fitted: service time and mean response (0 where a step was saturated).
std::pair<double, double> residual(const QueueFit& fit, const QueuePoint& point, const Meeting& met) {
    const double service = std::log(point.busy / point.per_second / service_at(fit, met));
    if (point.busy > kSaturated * point.servers) return {service, 0};
    const double expected = passage(fit, met, point.servers, point.busy, point.per_second).mean_s() + fit.offset_s;
    return {service, std::isfinite(expected) ? std::log(point.response_s / expected) : 1};
}

/// Each step foretold from the others: the errors of its service time and of its mean response.
void leave_one_out(std::span<const QueuePoint> points, std::span<const Meeting> met, double quantile, QueueFit& fit) {
    double services = 0;
    double responses = 0;
    double trusted = 0;
    for (std::size_t out = 0; out < points.size(); ++out) {
        std::vector<QueuePoint> rest(points.begin(), points.end());
        std::vector<Meeting> rest_met(met.begin(), met.end());
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(out));
        rest_met.erase(rest_met.begin() + static_cast<std::ptrdiff_t>(out));
        const auto [service, response] =
            residual(fit_with(rest, rest_met, quantile, fit.model, false), points[out], met[out]);
        const double weight = trust(points[out]) * trust(points[out]);
        services += service * service;
        responses += weight * response * response;
        trusted += weight;
    }
    fit.service_error = std::sqrt(services / static_cast<double>(points.size()));
    fit.response_error = trusted > 0 ? std::sqrt(responses / trusted) : 0;
}

/// Service times say whether service is stretched, responses whether there is a serial place; each is believed only
/// when it foretells better what was not seen.
const QueueFit& choose(std::span<const QueueFit> all) {
    const bool stretched = all[1].service_error < kSimplerShare * all[0].service_error;
    const auto& without = all[stretched ? 1 : 0];
    const auto& with = all[stretched ? 3 : 2];
    return with.response_error < kSimplerShare * without.response_error ? with : without;
}

double other_limit(std::span<const OtherResource> others) noexcept {
    double limit = kInfinity;
    for (const auto& other : others)
        limit = other.demand_s > 0 ? std::min(limit, other.servers / other.demand_s) : limit;
    return limit;
}

/// The resource that is used most at a rate.
std::string binding_at(const QueueFit& fit, const QueueQuestion& question, double busy, double per_second) {
    std::string name = "vCPU";
    double most = busy / question.servers;
    const auto consider = [&](double used, std::string_view who) {
        if (used <= most) return;
        most = used;
        name = who;
    };
    consider(fit.serial_s * per_second, "serial part");
    for (const auto& other : question.others)
        consider(other.demand_s * per_second / other.servers, other.name);
    return name;
}

Result<void> check(const QueueQuestion& question) {
    const bool sound = std::ranges::all_of(question.others, [](const OtherResource& other) {
        return other.demand_s >= 0 && other.servers > 0 && std::isfinite(other.demand_s + other.servers);
    });
    if (question.servers == 0 || question.servers > limits::kServersMax || !(question.response_s >= 0) ||
        !std::isfinite(question.response_s) || !(question.confidence > 0 && question.confidence < 1) ||
        !(question.quantile > 0 && question.quantile < 1) || !sound) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a capacity can be asked for 1 to {} vCPUs, an objective that is a time, and resources "
                                "that are there",
                                limits::kServersMax));
    }
    return {};
}

/// Limits of fits to the fitted values with residuals drawn anew, in rising order.
Result<std::vector<double>> replicas(const QueueFit& fit, const QueueQuestion& question, std::span<const Meeting> met) {
    Random random(question.seed);
    const auto n = static_cast<double>(question.points.size());
    const double unknowns = 2 + (is_stretched(fit.model) ? 2 : 0) + (is_serial(fit.model) ? 1 : 0);
    const double inflate = std::sqrt(n / std::max(1.0, n - unknowns));
    std::vector<std::pair<double, double>> errors;
    for (std::size_t i = 0; i < question.points.size(); ++i)
        errors.push_back(residual(fit, question.points[i], met[i]));
    std::vector<double> values;
    for (std::size_t r = 0; r < kReplicates; ++r) {
        std::vector<QueuePoint> drawn(question.points.begin(), question.points.end());
        for (std::size_t i = 0; i < drawn.size(); ++i) {
            auto& point = drawn[i];
            const auto [own_service, own_response] = errors[i];
            const auto& [service, response] = errors[random.below(errors.size())];
            const double change = std::exp(inflate * response - own_response);
            point.per_second *= std::exp(own_service - inflate * service);
            point.response_s *= change;
            point.response_q_s *= change;
        }
        values.push_back(
            TRY(queue_limit(fit_with(drawn, met, question.quantile, fit.model, true), question)).per_second);
    }
    std::ranges::sort(values);
    return values;
}

}  // namespace

std::string_view to_string(QueueModel model) noexcept {
    switch (model) {
        case QueueModel::kParallel:
            return "parallel";
        case QueueModel::kStretched:
            return "stretched";
        case QueueModel::kSerial:
            return "serial";
        case QueueModel::kBoth:
            return "stretched and serial";
    }
    return "?";
}

Result<QueueFit> fit_queue(std::span<const QueuePoint> points, double quantile, QueueModel model) {
    TRY(check(points, quantile));
    const auto met = TRY(meetings(points));
    QueueFit fit = fit_with(points, met, quantile, model, true);
    leave_one_out(points, met, quantile, fit);
    return fit;
}

Result<QueueLimit> queue_limit(const QueueFit& fit, const QueueQuestion& question) {
    TRY(check(question));
    const double most = other_limit(question.others);
    const auto rate = [&](double busy) -> Result<double> {
        return busy / service_at(fit, TRY(meet(question.servers, busy)));
    };
    const auto holds = [&](double busy) -> Result<bool> {
        const auto met = TRY(meet(question.servers, busy));
        const double per_second = busy / service_at(fit, met);
        if (per_second > most || per_second * fit.serial_s >= 1) return false;
        if (question.response_s <= 0) return true;
        const auto way = passage(fit, met, question.servers, busy, per_second);
        return fit.tail_factor * (way.quantile_s(question.quantile) + fit.offset_s) <= question.response_s;
    };
    double low = 0;
    double high = question.servers;
    if (TRY(holds(high))) low = high;
    for (int i = 0; i < 40 && high - low > 1e-9 * high; ++i) {
        const double middle = 0.5 * (low + high);
        (TRY(holds(middle)) ? low : high) = middle;
    }
    // where more work beside each other makes all slower, the best rate lies below
    QueueLimit limit;
    double busy_at_limit = low;
    for (int i = 1; i <= 64; ++i) {
        const double busy = low * i / 64;
        const double per_second = TRY(rate(busy));
        if (per_second < limit.per_second) continue;
        limit.per_second = per_second;
        busy_at_limit = busy;
    }
    limit.binding = binding_at(fit, question, busy_at_limit, limit.per_second);
    return limit;
}

Result<QueueAnswer> predict_queue(const QueueQuestion& question) {
    TRY(check(question));
    TRY(check(question.points, question.quantile));
    unsigned largest = 0;
    for (const auto& point : question.points)
        largest = std::max(largest, point.servers);
    if (question.servers > limits::kScaleBeyondMax * largest) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("{} vCPUs are over {} times the most that were measured ({}): measure a larger shadow, "
                                "or add production's own points",
                                question.servers, limits::kScaleBeyondMax, largest));
    }
    const auto met = TRY(meetings(question.points));
    QueueAnswer answer;
    for (std::size_t m = 0; m < kQueueModels; ++m) {
        answer.all.push_back(TRY(fit_queue(question.points, question.quantile, static_cast<QueueModel>(m))));
        answer.each[m] = TRY(queue_limit(answer.all[m], question)).per_second;
    }
    answer.fit = choose(answer.all);
    const auto limit = TRY(queue_limit(answer.fit, question));
    answer.per_second = limit.per_second;
    answer.binding = limit.binding;
    const auto values = TRY(replicas(answer.fit, question, met));
    const double tail = (1 - question.confidence) / 2;
    double low = std::min(answer.per_second, statistics::quantile_sorted(values, tail));
    double high = std::max(answer.per_second, statistics::quantile_sorted(values, 1 - tail));
    const auto radius = hindcast_radius(question.past_errors, question.confidence);
    if (radius) {
        low = std::min(low, answer.per_second * std::max(0.0, 1 - *radius));
        high = std::max(high, answer.per_second * (1 + *radius));
    }
    answer.interval = {.low = low, .high = high, .confidence = question.confidence};
    answer.explanation = fmt::format(
        "the {} model predicts what it has not seen best, within {:.1f} %; {} binds at {:.4g}/s; interval from {}",
        to_string(answer.fit.model), 100 * std::max(answer.fit.service_error, answer.fit.response_error),
        answer.binding, answer.per_second,
        radius ? fmt::format("{} earlier predictions", question.past_errors.size())
               : std::string("the fit's own residuals only: no earlier predictions to judge it by"));
    return answer;
}

}  // namespace penumbra::analysis::capacity
