#include "tests/bench/analysis/figure.hpp"

#include <cmath>
#include <cstdio>
#include <ctime>

#include <fmt/core.h>

namespace penumbra::bench {

void print(const Figure& figure) {
    std::string line = fmt::format("{{\"figure\": \"{}\"", figure.name);
    if (!figure.group.empty()) line += fmt::format(", \"group\": \"{}\"", figure.group);
    // JSON knows no NaN: a figure that could not be taken is null
    line += std::isfinite(figure.value) ? fmt::format(", \"value\": {:.4f}", figure.value) : ", \"value\": null";
    line += fmt::format(", \"unit\": \"{}\"", figure.unit);
    if (!figure.peer.empty()) line += fmt::format(", \"peer\": \"{}\"", figure.peer);
    if (figure.peer_value) line += fmt::format(", \"peer_value\": {:.4f}", *figure.peer_value);
    fmt::print("{}, \"runs\": {}, \"spread\": {:.4f}}}\n", line, figure.runs, figure.spread);
    std::fflush(stdout);
}

double cpu_seconds() noexcept {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double pinball(double value, double foretold, double q) noexcept {
    return value >= foretold ? q * (value - foretold) : (1 - q) * (foretold - value);
}

}  // namespace penumbra::bench
