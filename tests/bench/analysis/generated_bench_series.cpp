#include "tests/bench/analysis/generated_bench_series.hpp"

#include <array>
#include <string>

#include <fmt/core.h>

#include "tests/unit/analysis/forecast/generated_series.hpp"

namespace penumbra::bench {

namespace {

using analysis::forecast::testing::make;
using analysis::forecast::testing::World;
using namespace std::chrono_literals;

struct Kind {
    const char* group;
    World world;
};

/// What services look like: a steady day, a noisy one, one that was resized, one whose data is full of holes.
std::array<Kind, 4> kinds(std::chrono::milliseconds step, std::size_t points) {
    const World base{.step = step, .points = points};
    std::array<Kind, 4> result = {{{"steady", base}, {"noisy", base}, {"shifted", base}, {"gaps", base}}};
    result[1].world.noise = 25;
    result[2].world.shift_at = points * 2 / 3;
    result[3].world.missing = 0.1;
    return result;
}

}  // namespace

std::vector<Series> generated_hourly() {
    std::vector<Series> all;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        for (auto [group, world] : kinds(1h, 44 * 24)) {
            world.seed = seed;
            auto history = make(world);
            const auto origin = history.values.end() - 48;
            std::vector<double> future(origin, history.values.end());
            history.values.erase(origin, history.values.end());
            all.push_back({.group = group,
                           .name = fmt::format("{}{}", group, seed),
                           .history = std::move(history),
                           .future = std::move(future)});
        }
    }
    return all;
}

std::vector<Series> generated_five_minutes() {
    std::vector<Series> all;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        for (auto [group, world] : kinds(5min, 28 * 288)) {
            world.seed = seed;
            all.push_back({.group = group, .name = fmt::format("{}{}", group, seed), .history = make(world)});
        }
    }
    return all;
}

}  // namespace penumbra::bench
