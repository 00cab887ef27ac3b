#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/capacity/queueing_fit.hpp"
#include "analysis/random.hpp"

namespace penumbra::analysis::capacity::testing {

/// A server whose truth is known: Poisson arrivals in one queue for its vCPUs, service exponential with a mean that n
/// busy ones beside it stretch by 1 + sigma n + kappa n (n + 1), then one serial place, exponential, off the vCPUs.
struct ServerTruth {
    double service_s = 0.01;
    double sigma = 0;
    double kappa = 0;
    double serial_s = 0;

    [[nodiscard]] double saturation(unsigned servers) const {
        const double n = servers - 1.0;
        const double parallel = servers / (service_s * (1 + sigma * n + kappa * n * (n + 1)));
        return serial_s > 0 ? std::min(parallel, 1 / serial_s) : parallel;
    }
};

/// One load step of `requests`, a tenth of them before as warm-up.
inline QueuePoint simulate(const ServerTruth& truth, unsigned servers, double per_second, std::size_t requests,
                           double quantile, std::uint64_t seed) {
    struct Request {
        double arrived;
        double left;
    };
    Random random(seed);
    std::vector<double> free_at(servers, 0.0);
    std::vector<Request> all;
    const std::size_t warm = requests / 10;
    double now = 0;
    double began = 0;
    double busy = 0;
    for (std::size_t i = 0; i < requests + warm; ++i) {
        now += random.exponential() / per_second;
        if (i == warm) began = now;
        const auto next = std::ranges::min_element(free_at);
        const double start = std::max(now, *next);
        const auto beside = static_cast<double>(std::ranges::count_if(free_at, [&](double t) { return t > start; }));
        const double service =
            random.exponential() * truth.service_s * (1 + truth.sigma * beside + truth.kappa * beside * (beside + 1));
        *next = start + service;
        busy += i < warm ? 0 : service;
        all.push_back({.arrived = now, .left = *next});
    }
    const double length = std::max(now, *std::ranges::max_element(free_at)) - began;
    if (truth.serial_s > 0) {
        std::ranges::sort(all, {}, &Request::left);
        double serial_free = 0;
        for (auto& request : all)
            request.left = serial_free = std::max(request.left, serial_free) + random.exponential() * truth.serial_s;
    }
    std::vector<double> responses;
    double sum = 0;
    for (const auto& request : all) {
        if (request.arrived < began) continue;
        responses.push_back(request.left - request.arrived);
        sum += responses.back();
    }
    const auto n = static_cast<double>(responses.size());
    const auto place = responses.begin() + static_cast<std::ptrdiff_t>(quantile * (n - 1));
    std::ranges::nth_element(responses, place);
    return {.servers = servers,
            .per_second = n / length,
            .busy = std::min<double>(busy / length, servers),
            .response_s = sum / n,
            .response_q_s = *place};
}

/// A staircase at one size, up to close to its saturation.
inline void climb(const ServerTruth& truth, unsigned servers, std::size_t requests, std::uint64_t seed,
                  std::vector<QueuePoint>& points) {
    for (const double share : std::array{0.3, 0.45, 0.6, 0.7, 0.8, 0.88, 0.94})
        points.push_back(simulate(truth, servers, share * truth.saturation(servers), requests, 0.95, ++seed));
}

/// The highest rate at which the quantile holds, by simulation with the same random numbers at every rate.
inline double true_limit(const ServerTruth& truth, unsigned servers, double quantile, double response_s,
                         std::size_t requests, std::uint64_t seed) {
    double low = 0;
    double high = truth.saturation(servers);
    for (int i = 0; i < 11; ++i) {
        const double middle = 0.5 * (low + high);
        const auto point = simulate(truth, servers, middle, requests, quantile, seed);
        (point.response_q_s <= response_s ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

enum class ServerKind : std::uint8_t { kParallel, kStretched, kContended };

/// A size, a server and an objective of a kind, drawn at random: a trial at a quarter and a half of the size is to
/// foretell the whole.
struct SizeRiddle {
    ServerTruth truth;
    unsigned servers = 0;
    double response_s = 0;
    std::vector<QueuePoint> points;
};

inline SizeRiddle riddle(ServerKind kind, std::uint64_t seed, std::size_t requests) {
    Random random(1000 * seed + static_cast<std::uint64_t>(kind));
    SizeRiddle made;
    made.servers = 4U << random.below(3);
    made.truth.service_s = 0.005 + 0.02 * random.uniform();
    if (kind == ServerKind::kStretched) {
        made.truth.sigma = 0.06 * random.uniform();
        made.truth.kappa = 0.002 * random.uniform();
    }
    const double parallel = made.truth.saturation(made.servers);
    if (kind == ServerKind::kContended) made.truth.serial_s = 1 / (parallel * (0.7 + 1.3 * random.uniform()));
    made.response_s = made.servers / parallel * (5 + 5 * random.uniform());
    climb(made.truth, made.servers / 4, requests, 100 * seed, made.points);
    climb(made.truth, made.servers / 2, requests, 100 * seed + 50, made.points);
    return made;
}

}  // namespace penumbra::analysis::capacity::testing
