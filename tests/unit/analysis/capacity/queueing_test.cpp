#include "analysis/capacity/queueing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/capacity/queueing_fit.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/analysis/capacity/simulated_server.hpp"

namespace penumbra::analysis::capacity {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;
using testing::riddle;
using testing::ServerKind;
using testing::ServerTruth;
using testing::simulate;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Meeting, AgreesWithTheStatesAddedUp) {
    for (const unsigned servers : {1U, 2U, 5U, 30U}) {
        for (const double used : {0.01, 0.3, 0.7, 0.95}) {
            const double busy = used * servers;
            // p(n) of M/M/c, cut where nothing is left
            double weight = 1;
            double sum = 0;
            double waits = 0;
            double others = 0;
            double pairs = 0;
            for (unsigned n = 0; n < 4000; ++n) {
                const double beside = std::min(n, servers - 1);
                sum += weight;
                waits += n >= servers ? weight : 0;
                others += weight * beside;
                pairs += weight * beside * (beside + 1);
                weight *= busy / std::min(n + 1, servers);
            }
            const auto met = meet(servers, busy);
            ASSERT_TRUE(is_ok(met));
            EXPECT_NEAR(met->waits, waits / sum, 1e-12);
            EXPECT_NEAR(met->others, others / sum, 1e-10);
            EXPECT_NEAR(met->pairs, pairs / sum, 1e-9);
        }
    }
    // utilisation 0.9 of 1, 10, 100 servers, as published: 0.90, 0.67, 0.22
    EXPECT_NEAR(meet(1, 0.9)->waits, 0.90, 5e-3);
    EXPECT_NEAR(meet(10, 9)->waits, 0.67, 5e-3);
    EXPECT_NEAR(meet(100, 90)->waits, 0.22, 5e-3);
}

TEST(Meeting, EdgesHaveAnAnswerAndNonsenseIsAnError) {
    EXPECT_EQ(meet(8, 0)->waits, 0);
    EXPECT_EQ(meet(8, 8)->waits, 1);
    EXPECT_EQ(meet(8, 8)->others, 7);
    EXPECT_TRUE(std::isfinite(meet(4096, 1e-8)->others));
    EXPECT_TRUE(std::isfinite(meet(4096, 4095.999)->others));
    EXPECT_TRUE(fails(meet(0, 0), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(meet(5000, 1), ErrorCode::kInvalidArgument));
    for (const double busy : {-1.0, 9.0, kNaN, kInfinity})
        EXPECT_TRUE(fails(meet(8, busy), ErrorCode::kInvalidArgument));
}

TEST(Passage, QuantilesAreThoseOfTheFormulae) {
    // M/M/1: the response is exponential with mean S / (1 - rho)
    const Passage single{.waits = 0.8, .wait_s = 5, .service_s = 1};
    EXPECT_NEAR(single.mean_s(), 5, 1e-12);
    EXPECT_NEAR(single.quantile_s(0.95), -std::log(0.05) * 5, 1e-3);
    const Passage nobody{.service_s = 2};
    EXPECT_NEAR(nobody.quantile_s(0.5), 2 * std::log(2.0), 1e-8);
    // two equal phases: Erlang-2
    const Passage two{.service_s = 1, .serial_s = 1};
    EXPECT_NEAR(two.beyond(3), std::exp(-3) * 4, 1e-4);
    EXPECT_EQ(Passage{}.beyond(1), 0);
    double last = 0;
    for (double q = 0; q < 0.999; q += 0.01) {
        EXPECT_GE(single.quantile_s(q), last);
        last = single.quantile_s(q);
    }
}

TEST(QueueFit, FindsTheServerThatMadeThePoints) {
    const ServerTruth truth{.service_s = 0.01, .sigma = 0.04, .kappa = 0.001};
    std::vector<QueuePoint> points;
    testing::climb(truth, 2, 20'000, 1, points);
    testing::climb(truth, 8, 20'000, 50, points);
    const auto fit = fit_queue(points, 0.95, QueueModel::kStretched);
    ASSERT_TRUE(is_ok(fit));
    EXPECT_NEAR(fit->service_s, 0.01, 3e-4);
    EXPECT_NEAR(fit->sigma + 8 * fit->kappa, 0.048, 0.012);
    EXPECT_NEAR(fit->wait_factor, 1, 0.15);
    EXPECT_NEAR(fit->tail_factor, 1, 0.05);
    EXPECT_LT(fit->service_error, 0.02);
    EXPECT_LT(fit->response_error, 0.1);
}

TEST(QueueFit, NamesWhatBinds) {
    const ServerTruth truth{.service_s = 0.01, .serial_s = 0.0018};
    std::vector<QueuePoint> points;
    testing::climb(truth, 2, 20'000, 1, points);
    testing::climb(truth, 4, 20'000, 50, points);
    const auto serial = predict_queue({.points = points, .servers = 8, .response_s = 0.1});
    ASSERT_TRUE(is_ok(serial));
    EXPECT_EQ(serial->binding, "serial part") << serial->explanation;
    EXPECT_NEAR(serial->per_second / testing::true_limit(truth, 8, 0.95, 0.1, 30'000, 9), 1, 0.1);
    const std::vector<OtherResource> disk = {{.name = "disk vda", .demand_s = 0.004, .servers = 1}};
    const auto limited = predict_queue({.points = points, .servers = 8, .response_s = 0.1, .others = disk});
    EXPECT_EQ(limited->binding, "disk vda");
    EXPECT_NEAR(limited->per_second, 250, 1);
    EXPECT_NE(limited->explanation.find("disk vda binds at 250/s"), std::string::npos) << limited->explanation;
}

TEST(QueueFit, MoreServersOrALooserObjectiveNeverHoldLess) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto made = riddle(seed % 2 == 0 ? ServerKind::kParallel : ServerKind::kContended, seed, 2000);
        const auto fit = *fit_queue(made.points, 0.95, QueueModel::kSerial);
        double last = 0;
        for (const double slack : {0.5, 1.0, 2.0, 8.0}) {
            const QueueQuestion question{.servers = made.servers, .response_s = slack * made.response_s};
            const auto limit = *queue_limit(fit, question);
            EXPECT_GE(limit.per_second, last) << seed;
            last = limit.per_second;
            QueueQuestion more = question;
            more.servers += 1;
            EXPECT_GE(queue_limit(fit, more)->per_second, limit.per_second * (1 - 1e-6)) << seed;
        }
    }
}

TEST(QueueFit, WholeSizesAreForetoldFromQuartersAndHalves) {
    // the bench's figure, with fewer servers: 19 hindcasts before, so that their radius is known
    std::vector<double> errors;
    std::vector<double> before;
    int covered = 0;
    int asked = 0;
    for (std::uint64_t seed = 1; seed <= 26; ++seed) {
        for (const auto kind : {ServerKind::kParallel, ServerKind::kStretched, ServerKind::kContended}) {
            const auto made = riddle(kind, seed, 4000);
            const double truth = testing::true_limit(made.truth, made.servers, 0.95, made.response_s, 10'000, seed);
            const auto answer = predict_queue(
                {.points = made.points, .servers = made.servers, .response_s = made.response_s, .past_errors = before});
            ASSERT_TRUE(is_ok(answer));
            const double error = std::abs(truth / answer->per_second - 1);
            if (seed <= 8) {
                before.push_back(error);
                continue;
            }
            errors.push_back(error);
            asked += 1;
            covered += answer->interval.low <= truth && truth <= answer->interval.high ? 1 : 0;
        }
    }
    std::ranges::sort(errors);
    EXPECT_LE(errors[errors.size() * 9 / 10], 0.15);
    EXPECT_GE(covered, asked * 85 / 100);
}

TEST(QueueFit, IsTheSameTwiceAndFollowsItsUnit) {
    auto made = riddle(ServerKind::kStretched, 3, 2000);
    const QueueQuestion question{.points = made.points, .servers = made.servers, .response_s = made.response_s};
    const auto first = *predict_queue(question);
    const auto second = *predict_queue(question);
    EXPECT_EQ(first.per_second, second.per_second);
    EXPECT_EQ(first.interval.low, second.interval.low);
    EXPECT_EQ(first.explanation, second.explanation);
    auto slower = made.points;
    for (auto& point : slower) {
        point.per_second /= 1024;
        point.response_s *= 1024;
        point.response_q_s *= 1024;
    }
    const auto third =
        *predict_queue({.points = slower, .servers = made.servers, .response_s = 1024 * made.response_s});
    EXPECT_NEAR(third.per_second * 1024, first.per_second, 1e-6 * first.per_second);
}

TEST(QueueFit, WhatHasNoMeaningIsAnErrorAndWhatIsOddHasAnAnswer) {
    const auto made = riddle(ServerKind::kParallel, 5, 1000);
    const auto good = made.points;
    const auto ask = [&](const std::vector<QueuePoint>& points, unsigned servers, double response_s) {
        return predict_queue({.points = points, .servers = servers, .response_s = response_s});
    };
    EXPECT_TRUE(fails(ask({}, 4, 1), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(ask({good[0], good[1]}, 4, 1), ErrorCode::kInvalidArgument, "3 to"));
    EXPECT_TRUE(fails(ask(good, 0, 1), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(ask(good, 4, kNaN), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(ask(good, 4, kInfinity), ErrorCode::kInvalidArgument));
    EXPECT_TRUE(fails(ask(good, made.servers * 4, 1), ErrorCode::kUnsupported, "production's own points"));
    for (const double bad : {0.0, -1.0, kNaN, kInfinity}) {
        auto points = good;
        points[2].per_second = bad;
        EXPECT_TRUE(fails(ask(points, 4, 1), ErrorCode::kInvalidArgument)) << bad;
        points = good;
        points[2].busy = bad;
        EXPECT_TRUE(fails(ask(points, 4, 1), ErrorCode::kInvalidArgument)) << bad;
        points = good;
        points[2].response_s = bad;
        EXPECT_TRUE(fails(ask(points, 4, 1), ErrorCode::kInvalidArgument)) << bad;
    }
    // the same point again and again, no quantiles, no objective: saturation counts
    const std::vector<QueuePoint> same(
        5, {.servers = 2, .per_second = 100, .busy = 1, .response_s = 0.0125, .response_q_s = 0});
    const auto flat = ask(same, 4, 0);
    ASSERT_TRUE(is_ok(flat));
    EXPECT_NEAR(flat->per_second, 400, 1e-6);
    // an objective below the service alone is held by nothing
    EXPECT_NEAR(ask(good, made.servers, 1e-9)->per_second, 0, 1e-3);
    // saturated steps only
    std::vector<QueuePoint> full(4, {.servers = 2, .per_second = 200, .busy = 2, .response_s = 3, .response_q_s = 9});
    EXPECT_TRUE(is_ok(ask(full, 4, 1)));
}

}  // namespace
}  // namespace penumbra::analysis::capacity
