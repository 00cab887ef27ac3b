#include "tests/bench/analysis/judge_bench.hpp"

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "analysis/judge/aa_bank.hpp"
#include "analysis/judge/lab_v1.hpp"
#include "analysis/random.hpp"
#include "tests/bench/analysis/figure.hpp"

namespace penumbra::bench {

namespace {

namespace judge = analysis::judge;

constexpr std::size_t kWindows = 10'000;
constexpr std::size_t kBuckets = 10;
constexpr int kJudgements = 5;
constexpr int kBankCalls = 1000;
constexpr auto kLength = std::chrono::seconds(10);

/// Windows of about 100 requests whose level wanders.
std::vector<model::KpiWindow> windows(std::uint64_t seed) {
    analysis::Random random(seed);
    std::vector<model::KpiWindow> all;
    double level = 0;
    for (std::size_t i = 0; i < kWindows; ++i) {
        level = 0.5 * level + 0.1 * random.normal();
        model::KpiWindow window{.sequence = i + 1,
                                .begin = WallTime(kLength * i),
                                .length = kLength,
                                .requests = 10 * kBuckets,
                                .errors = random.below(100) == 0 ? 1U : 0U,
                                .guest_cpu_share = 0.5 * std::exp(level),
                                .disk_read_bytes = 100'000 + random.below(50'000),
                                .disk_write_bytes = 100'000 + random.below(50'000)};
        for (std::size_t k = 1; k <= kBuckets; ++k) {
            window.response_time.push_back(
                {static_cast<std::uint64_t>(2000 * static_cast<double>(k) * std::exp(level)), kBuckets});
        }
        all.push_back(std::move(window));
    }
    return all;
}

[[noreturn]] void stop(const Error& error) {
    fmt::print(stderr, "analysis_bench: {}\n", error.describe());
    std::exit(1);
}

}  // namespace

void bench_judge() {
    const auto control = windows(1);
    const auto treated = windows(2);
    judge::LabRules rules;
    for (const judge::Kpi kpi : {judge::Kpi::kResponseTimeMean, judge::Kpi::kResponseTimeP95, judge::Kpi::kErrorRate,
                                 judge::Kpi::kGuestCpu, judge::Kpi::kDiskBytes}) {
        for (const double margin : {0.1, 0.2})
            rules.kpis.push_back({.kpi = kpi, .margin = margin});
    }
    double begin = cpu_seconds();
    for (int i = 0; i < kJudgements; ++i) {
        const auto verdict = judge::judge_twins(rules, {.after = {.control = control, .treated = treated}});
        if (!verdict) stop(verdict.error());
    }
    print(
        {.name = "judge_ms", .value = (cpu_seconds() - begin) * 1000 / kJudgements, .unit = "ms", .runs = kJudgements});

    analysis::Random random(3);
    std::vector<judge::AaRun> bank;
    for (std::size_t i = 0; i < 99; ++i)
        bank.push_back({.effect = 0.05 * random.normal(), .at = WallTime(kLength * i), .configuration = "a"});
    begin = cpu_seconds();
    for (int i = 0; i < kBankCalls; ++i) {
        const auto verdict = judge::judge_by_bank(bank, 0.1, WallTime(kLength * 99), "a", {});
        if (!verdict) stop(verdict.error());
    }
    print({.name = "bank_ms", .value = (cpu_seconds() - begin) * 1000 / kBankCalls, .unit = "ms", .runs = kBankCalls});
}

}  // namespace penumbra::bench
