#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "cli/report/axis.hpp"

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

/// A stretch of time with a name and what came of it: a trial and its verdict.
struct ChartSpan {
    std::string name;
    std::string word;       ///< "PASS"; may be empty
    std::string css_class;  ///< of its colour, which says no more than `word`
    WallTime from{};
    WallTime to{};
};

struct Chart {
    std::string title;
    std::string unit;              ///< of the values: "ms", "requests/s"
    Scale scale = Scale::kLinear;  ///< logarithmic: values at or below 0 are not drawn
    WallTime from{};               ///< with `to`: what the axis holds at least
    WallTime to{};
    std::vector<ChartLine> lines;
    std::vector<ChartBand> bands;
    std::vector<ChartSpan> spans;
};

/// The chart with axes, a legend and a table of its numbers' ends for those who cannot see it; "" if it holds nothing.
[[nodiscard]] std::string svg_of(const Chart& chart);

/// The same as a file that stands alone, with its colours and its legend inside; "" if the chart holds nothing.
[[nodiscard]] std::string svg_file_of(const Chart& chart);

/// A measured quantity against another: answered load against offered load.
struct Curve {
    enum class Mark : unsigned char { kLine, kDots };
    std::string name;
    std::string css_class;
    Mark mark = Mark::kLine;
    std::vector<std::pair<double, double>> points;
};
struct CurveChart {
    std::string title;
    std::string x_unit;
    std::string y_unit;
    std::vector<Curve> curves;
};
[[nodiscard]] std::string svg_file_of(const CurveChart& chart);

/// Rows of spans under one time axis.
struct TimelineRow {
    std::string name;
    std::vector<ChartSpan> spans;
};
[[nodiscard]] std::string svg_of(const std::vector<TimelineRow>& timeline);

/// Text made safe inside HTML and SVG; everything that is shown passes here, guests' and clients' text above all.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace penumbra::cli
