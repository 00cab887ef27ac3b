#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penumbra::bench {

/// One line of a bench's output. `spread` is the half-width between runs, in the value's unit.
struct Figure {
    std::string_view name;
    std::string group;
    double value = 0;
    std::string_view unit = "1";
    std::string_view peer;
    std::optional<double> peer_value;
    std::size_t runs = 1;
    double spread = 0;
};

/// Prints it as a JSON line.
void print(const Figure& figure);

/// CPU seconds this process has used.
[[nodiscard]] double cpu_seconds() noexcept;

/// Loss of foretelling `foretold` as the q-quantile of what became `value`.
[[nodiscard]] double pinball(double value, double foretold, double q) noexcept;

}  // namespace penumbra::bench
