#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"

/// Pictures for the report: SVG text that stands alone, styled by the page's CSS classes. Pure.
namespace penumbra::cli {

struct ChartPoint {
    WallTime at{};
    double value = 0;
};

/// One line; `css_class` picks its colour ("production", "control", "treated", "median").
struct ChartLine {
    std::string name;
    std::string css_class;
    std::vector<ChartPoint> points;  ///< rising in time; a gap of more than three usual steps breaks the line
};

/// An area between two lines with the same times: one step of a forecast's fan.
struct ChartBand {
    std::string name;
    std::vector<ChartPoint> low;
    std::vector<ChartPoint> high;
};

/// A stretch of time with a word: a phase of a trial, a lease.
struct ChartSpan {
    std::string name;
    std::string css_class;
    WallTime from{};
    WallTime to{};
};

struct Chart {
    std::string title;
    std::string unit;  ///< of the values: "ms", "requests/s"
    std::vector<ChartLine> lines;
    std::vector<ChartBand> bands;
    std::vector<ChartSpan> spans;
};

/// The chart with axes, a legend and a table of its numbers' ends for those who cannot see it; "" if it holds nothing.
[[nodiscard]] std::string svg_of(const Chart& chart);

/// Rows of spans under one time axis.
struct TimelineRow {
    std::string name;
    std::vector<ChartSpan> spans;
};
[[nodiscard]] std::string svg_of(const std::vector<TimelineRow>& timeline);

/// Text made safe inside HTML and SVG; everything that is shown passes here, guests' and clients' text above all.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace penumbra::cli
