#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

/// Where the ticks of an axis stand and what they say. Pure.
namespace penumbra::cli {

enum class Scale : unsigned char { kLinear, kLogarithmic };

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    void include(double value) noexcept {
        if (value < low) low = value;
        if (value > high) high = value;
    }
    [[nodiscard]] bool empty() const noexcept { return low > high; }
};

struct Tick {
    double at = 0;
    std::string text;
    friend bool operator==(const Tick&, const Tick&) = default;
};

/// The range widened to round ends: linear from its low end to a multiple of its step, logarithmic to 1, 2 or 5 times
/// a power of ten at both ends, which then lie at least that far apart. A logarithmic range must be above 0.
[[nodiscard]] Range rounded(Range values, Scale scale);

/// Ticks at round values in the range, at most `count_max` and at least one, which say the unit where it has words of
/// its own ("ms": 20 ms, 2 s; "B/s": 2 MB; "%").
[[nodiscard]] std::vector<Tick> value_ticks(const Range& values, Scale scale, std::string_view unit,
                                            std::size_t count_max);

/// Ticks at round times of UTC in the range of milliseconds since the epoch, as many as `width` pixels can name.
/// Midnight is named by its day.
[[nodiscard]] std::vector<Tick> time_ticks(const Range& at_ms, double width);

/// A value in words: ("ms", 1500) is "1.5 s"; ("", 20000) is "20 k".
[[nodiscard]] std::string value_text(double value, std::string_view unit);

}  // namespace penumbra::cli
