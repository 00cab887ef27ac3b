#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include "analysis/judge/lab_v1.hpp"
#include "analysis/random.hpp"
#include "proto/model/kpi.hpp"

namespace penumbra::analysis::judge::testing {

/// How two simulated arms behave. Each window's mean wanders by `noise` (log scale, AR(1) with `rho`) on top of a drift
/// that both share; `effect` and `bias` are factors of the treated arm.
struct TwinWorld {
    std::uint64_t seed = 1;
    double noise = 0.15;
    double rho = 0;
    double drift = 0.3;      ///< deviation of the shared part
    double tail = 0;         ///< share of windows that are ten times slower, in each arm by itself
    double bias = 0;         ///< of the treated arm, before and after
    double errors = 0;       ///< failing share in both arms
    unsigned requests = 40;  ///< a window
};

struct Effect {
    double slowdown = 0;  ///< 0.3: 30 % slower
    double errors = 0;    ///< added failing share
};

struct Arms {
    std::vector<model::KpiWindow> control;
    std::vector<model::KpiWindow> treated;
    [[nodiscard]] TwinWindows view() const { return {.control = control, .treated = treated}; }
};

/// Makes stretches of windows one after the other, from one seed.
class TwinSimulation {
 public:
    explicit TwinSimulation(const TwinWorld& world) : world_(world), random_(world.seed) {
        for (double& state : state_)
            state = random_.normal();
    }

    [[nodiscard]] Arms run(std::size_t windows, const Effect& effect = {}) {
        Arms arms;
        for (std::size_t i = 0; i < windows; ++i) {
            const double shared = std::exp(world_.drift * step(2, 0.9));
            arms.control.push_back(window(0, shared, world_.errors));
            arms.treated.push_back(
                window(1, shared * (1 + world_.bias) * (1 + effect.slowdown), world_.errors + effect.errors));
            ++sequence_;
        }
        return arms;
    }

 private:
    double step(std::size_t which, double rho) {
        state_[which] = rho * state_[which] + std::sqrt(1 - rho * rho) * random_.normal();
        return state_[which];
    }

    model::KpiWindow window(std::size_t arm, double factor, double errors) {
        double level = 20'000 * factor * std::exp(world_.noise * step(arm, world_.rho));
        if (world_.tail > 0 && random_.uniform() < world_.tail) level *= 10;
        model::KpiWindow window{
            .sequence = sequence_,
            .begin = WallTime(std::chrono::milliseconds(5000 * static_cast<std::int64_t>(sequence_))),
            .length = std::chrono::milliseconds(5000),
            .requests = world_.requests};
        for (unsigned i = 0; i < world_.requests; ++i)
            window.errors += random_.uniform() < errors ? 1 : 0;
        // five equal parts around the level stand for the requests' own spread
        for (const double part : {0.6, 0.8, 1.0, 1.2, 1.4}) {
            window.response_time.push_back(
                {.value_us = static_cast<std::uint64_t>(level * part), .count = world_.requests / 5});
        }
        window.guest_cpu_share = 0.5;
        window.disk_read_bytes = 1 << 20;
        window.ledger = {.captured = world_.requests, .replayed = world_.requests};
        return window;
    }

    TwinWorld world_;
    Random random_;
    double state_[3] = {};
    std::uint64_t sequence_ = 0;
};

}  // namespace penumbra::analysis::judge::testing
