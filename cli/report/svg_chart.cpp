#include "cli/report/svg_chart.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/render/text.hpp"
#include "cli/report/chart_points.hpp"

// Drawn by hand rather than by a charting library: the page must open from a file, offline, years later.

namespace penumbra::cli {

namespace {

constexpr double kWidth = 920;
constexpr double kHeight = 260;
constexpr double kLeft = 64;
constexpr double kRowNames = 180;  // left margin of a timeline, whose rows have names
constexpr double kRight = 24;      // room for half of the last tick's text
constexpr double kTop = 36;        // the title, and under it the names of the spans
constexpr double kRowsTop = 6;     // of a timeline, which has neither
constexpr double kBottom = 28;
constexpr double kRowHeight = 22;
constexpr std::size_t kValueTicksMax = 6;
constexpr std::size_t kAcrossTicksMax = 10;  // of values on the axis below
constexpr double kLogTickHeight = 15;        // a logarithmic axis has as many ticks as lines of text
constexpr double kLabelColumn = 5.6;         // width of a letter of a span's label
constexpr double kLegendHeight = 20;

// A file has no page around it to style it.
constexpr std::string_view kFileStyle =
    "<style>text{font-family:system-ui,sans-serif}.title{font-size:13px;font-weight:600;fill:#1c2330}"
    ".tick{font-size:11px;fill:#5b6575}.grid{stroke:#e3e5e8}.line{fill:none;stroke-width:1.6;stroke:#5b6575}"
    ".line.production{stroke:#3b4252}.line.control,.line.median{stroke:#2f7ebb}.line.treated{stroke:#d9722c}"
    ".dot{fill:#5b6575}.dot.production{fill:#3b4252}.dot.control,.dot.median{fill:#2f7ebb}.dot.treated{fill:#d9722c}"
    ".band{fill:#2f7ebb;fill-opacity:.16}.span{fill:#5b6575;fill-opacity:.12}.label{font-size:10px;fill:#5b6575}</"
    "style>";

double ms(WallTime time) {
    return static_cast<double>(time.time_since_epoch().count());
}

std::string clock_text(double at_ms) {
    const auto seconds = static_cast<std::time_t>(at_ms / 1000);
    return fmt::format("{:%H:%M:%S}", fmt::gmtime(seconds));
}

/// The whole drawing, and what its plot leaves free at the left and at the top.
struct Box {
    double left = kLeft;
    double top = kTop;
    double height = kHeight;
};

/// Maps time and value to the plot's rectangle.
class Frame {
 public:
    Frame(Range time, Range value, Box box, Scale scale = Scale::kLinear)
        : time_(time), value_(value), box_(box), scale_(scale), empty_(time.empty()) {
        if (time_.high <= time_.low) time_.high = time_.low + 1;
        if (value_.high <= value_.low) value_.high = value_.low + 1;
    }
    [[nodiscard]] double x(double at_ms) const {
        return box_.left + (at_ms - time_.low) / (time_.high - time_.low) * (kWidth - box_.left - kRight);
    }
    [[nodiscard]] double y(double value) const {
        const double share = scale_ == Scale::kLogarithmic
                                 ? std::log(value / value_.low) / std::log(value_.high / value_.low)
                                 : (value - value_.low) / (value_.high - value_.low);
        return bottom() - share * height();
    }
    /// Zero has no place on a logarithmic axis, and a value that is no number has none at all.
    [[nodiscard]] bool has_place(double value) const {
        return std::isfinite(value) && (scale_ == Scale::kLinear || value > 0);
    }
    [[nodiscard]] const Range& time() const { return time_; }
    [[nodiscard]] const Range& value() const { return value_; }
    [[nodiscard]] double left() const { return box_.left; }
    [[nodiscard]] double top() const { return box_.top; }
    [[nodiscard]] double bottom() const { return box_.height - kBottom; }
    [[nodiscard]] double height() const { return bottom() - top(); }
    [[nodiscard]] double width() const { return kWidth - box_.left - kRight; }
    [[nodiscard]] Scale scale() const { return scale_; }
    [[nodiscard]] bool empty() const { return empty_; }

 private:
    Range time_;
    Range value_;
    Box box_;
    Scale scale_;
    bool empty_;  ///< there is no time in it
};

std::string axis_below(const Frame& frame, const std::vector<Tick>& ticks) {
    std::string text;
    for (const Tick& tick : ticks) {
        text += fmt::format(
            "<line class='grid' x1='{0:.1f}' x2='{0:.1f}' y1='{1:.1f}' y2='{2:.1f}'/>"
            "<text class='tick' x='{0:.1f}' y='{3:.1f}' text-anchor='middle'>{4}</text>",
            frame.x(tick.at), frame.top(), frame.bottom(), frame.bottom() + kBottom - 8, escaped(tick.text));
    }
    return text;
}

std::string time_axis(const Frame& frame) {
    return axis_below(frame, time_ticks(frame.time(), frame.width()));
}

std::string value_axis(const Frame& frame, std::string_view unit) {
    std::string text =
        fmt::format("<text class='tick' x='{:.1f}' y='16' text-anchor='end'>{}</text>", kWidth - kRight, escaped(unit));
    const auto lines = static_cast<std::size_t>(frame.height() / kLogTickHeight);
    const std::size_t count_max = frame.scale() == Scale::kLogarithmic ? lines : kValueTicksMax;
    for (const Tick& tick : value_ticks(frame.value(), frame.scale(), unit, count_max)) {
        text += fmt::format(
            "<line class='grid' x1='{0:.1f}' x2='{1:.1f}' y1='{2:.1f}' y2='{2:.1f}'/>"
            "<text class='tick' x='{3:.1f}' y='{4:.1f}' text-anchor='end'>{5}</text>",
            kLeft, kWidth - kRight, frame.y(tick.at), kLeft - 6, frame.y(tick.at) + 4, escaped(tick.text));
    }
    return text;
}

std::string path_of(const Frame& frame, const std::vector<ChartPoint>& points) {
    std::string path;
    const double column_ms = (frame.time().high - frame.time().low) / frame.width();
    for (const auto& run : runs_of(points, [&](double value) { return frame.has_place(value); })) {
        char move = 'M';
        for (const ChartPoint& point : thinned(run, column_ms)) {
            path += fmt::format("{}{:.1f},{:.1f}", move, frame.x(ms(point.at)), frame.y(point.value));
            move = 'L';
        }
        if (run.size() == 1) path += "h1";  // a point alone would not be seen
    }
    return path;
}

std::string draw(const Frame& frame, const ChartBand& band) {
    std::string path;
    for (const ChartPoint& point : band.high) {
        path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "M" : "L", frame.x(ms(point.at)), frame.y(point.value));
    }
    for (auto point = band.low.rbegin(); point != band.low.rend(); ++point) {
        path += fmt::format("L{:.1f},{:.1f}", frame.x(ms(point->at)), frame.y(point->value));
    }
    return fmt::format("<path class='band' d='{}Z'><title>{}</title></path>", path, escaped(band.name));
}

/// Nothing of a span that ends before the axis begins, or begins after its end.
bool is_outside(const Frame& frame, const ChartSpan& span) {
    return ms(span.to) < frame.time().low || ms(span.from) > frame.time().high;
}

std::string draw(const Frame& frame, const ChartSpan& span, double top, double height) {
    const double left = std::max(frame.left(), frame.x(ms(span.from)));
    const double right = std::min(kWidth - kRight, frame.x(ms(span.to)));
    return fmt::format(
        "<rect class='span {}' x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}'><title>{}{}{}, {} to "
        "{}</title></rect>",
        escaped(span.css_class), left, top, std::max(2.0, right - left), height, escaped(span.name),
        span.word.empty() ? "" : ": ", escaped(span.word), clock_text(ms(span.from)), clock_text(ms(span.to)));
}

/// The span over the whole height, and above it its name, if it has room there.
std::string draw(const Frame& frame, const ChartSpan& span) {
    const double left = std::max(frame.left(), frame.x(ms(span.from)));
    const double right = std::min(kWidth - kRight, frame.x(ms(span.to)));
    std::string text = draw(frame, span, frame.top(), frame.height());
    if (kLabelColumn * static_cast<double>(columns_of(span.name)) <= right - left) {
        text += fmt::format("<text class='label' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>",
                            (left + right) / 2, frame.top() - 4, escaped(span.name));
    }
    return text;
}

/// The span in a timeline's row, its word inside it or beside it.
std::string draw_in_row(const Frame& frame, const ChartSpan& span, double top) {
    const double left = frame.x(ms(span.from));
    const double right = frame.x(ms(span.to));
    const double length = kLabelColumn * static_cast<double>(columns_of(span.word)) + 8;
    const bool is_inside = right - left >= length;
    const bool is_after = !is_inside && right + length < kWidth;
    return draw(frame, span, top + 2, kRowHeight - 4) +
           fmt::format("<text class='label' x='{:.1f}' y='{:.1f}' text-anchor='{}'>{}</text>",
                       is_inside  ? (left + right) / 2
                       : is_after ? right + 4
                                  : left - 4,
                       top + 15,
                       is_inside  ? "middle"
                       : is_after ? "start"
                                  : "end",
                       escaped(span.word));
}

std::string legend(const Chart& chart) {
    std::string text = "<p class='legend'>";
    for (const ChartLine& line : chart.lines) {
        text += fmt::format("<span class='key {}'></span>{} ", escaped(line.css_class), escaped(line.name));
    }
    for (const ChartBand& band : chart.bands)
        text += fmt::format("<span class='key band'></span>{} ", escaped(band.name));
    return text + "</p>";
}

struct Key {
    std::string name;
    std::string css_class;  ///< of a line; "band": an area
};

/// The drawing under its title as a file, with a row of keys below it.
std::string file_of(std::string_view title, const std::string& drawing, const std::vector<Key>& keys) {
    std::string text = fmt::format(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' width='{0}' height='{1}' role='img' "
        "aria-label='{2}'>{3}<rect width='100%' height='100%' fill='#fff'/><text class='title' x='{4}' y='16'>{2}"
        "</text>{5}",
        kWidth, kHeight + kLegendHeight, escaped(title), kFileStyle, kLeft, drawing);
    double x = kLeft;
    const double y = kHeight + 4;
    for (const Key& key : keys) {
        text += key.css_class == "band"
                    ? fmt::format("<rect class='band' x='{:.0f}' y='{:.0f}' width='18' height='10'/>", x, y - 5)
                    : fmt::format("<path class='line {0}' d='M{1:.0f},{2:.0f}h18'/>", escaped(key.css_class), x, y);
        text += fmt::format("<text class='tick' x='{:.0f}' y='{:.0f}'>{}</text>", x + 24, y + 4, escaped(key.name));
        x += 44 + 6.5 * static_cast<double>(columns_of(key.name));
    }
    return text + "</svg>\n";
}

Frame frame_of(const Chart& chart) {
    Range time;
    Range value;
    const bool is_log = chart.scale == Scale::kLogarithmic;
    if (!is_log) value.include(0);
    const auto include = [&](const std::vector<ChartPoint>& points) {
        for (const ChartPoint& point : points) {
            if (!std::isfinite(point.value) || (is_log && point.value <= 0)) continue;
            time.include(ms(point.at));
            value.include(point.value);
        }
    };
    for (const ChartLine& line : chart.lines)
        include(line.points);
    for (const ChartBand& band : chart.bands) {
        include(band.low);
        include(band.high);
    }
    if (time.empty()) return {time, value, {}};
    if (chart.to > chart.from) {
        time.include(ms(chart.from));
        time.include(ms(chart.to));
    }
    return {time, rounded(value, chart.scale), {}, chart.scale};
}

std::string drawing_of(const Chart& chart, const Frame& frame) {
    std::string text;
    for (const ChartSpan& span : chart.spans)
        text += is_outside(frame, span) ? "" : draw(frame, span);
    text += value_axis(frame, chart.unit) + time_axis(frame);
    for (const ChartBand& band : chart.bands)
        text += draw(frame, band);
    for (const ChartLine& line : chart.lines) {
        text += fmt::format("<path class='line {}' d='{}'><title>{}</title></path>", escaped(line.css_class),
                            path_of(frame, line.points), escaped(line.name));
    }
    return text;
}

std::string draw(const Frame& frame, const Curve& curve) {
    std::string text;
    std::string path;
    for (const auto& [x, y] : curve.points) {
        if (curve.mark == Curve::Mark::kDots) {
            text += fmt::format("<circle class='dot {}' cx='{:.1f}' cy='{:.1f}' r='3'/>", escaped(curve.css_class),
                                frame.x(x), frame.y(y));
        } else {
            path += fmt::format("{}{:.1f},{:.1f}", path.empty() ? "M" : "L", frame.x(x), frame.y(y));
        }
    }
    if (!path.empty()) text += fmt::format("<path class='line {}' d='{}'/>", escaped(curve.css_class), path);
    return text;
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
        }
    }
    return safe;
}

std::string svg_of(const Chart& chart) {
    const Frame frame = frame_of(chart);
    if (frame.empty()) return {};
    return fmt::format(
               "<figure><svg viewBox='0 0 {0} {1}' role='img' aria-label='{2}'><text class='title' x='{3}' y='16'>{2}"
               "</text>",
               kWidth, kHeight, escaped(chart.title), kLeft) +
           drawing_of(chart, frame) + "</svg>" + legend(chart) + "</figure>\n";
}

std::string svg_file_of(const Chart& chart) {
    const Frame frame = frame_of(chart);
    if (frame.empty()) return {};
    std::vector<Key> keys;
    for (const ChartLine& line : chart.lines)
        keys.push_back({line.name, line.css_class});
    for (const ChartBand& band : chart.bands)
        keys.push_back({band.name, "band"});
    return file_of(chart.title, drawing_of(chart, frame), keys);
}

std::string svg_file_of(const CurveChart& chart) {
    Range across;
    Range up;
    across.include(0);
    up.include(0);
    std::vector<Key> keys;
    for (const Curve& curve : chart.curves) {
        for (const auto& [x, y] : curve.points) {
            across.include(x);
            up.include(y);
        }
        keys.push_back({curve.name, curve.css_class});
    }
    if (!(across.high > 0)) return {};
    const Frame frame(across, rounded(up, Scale::kLinear), {});
    std::vector<Tick> below = value_ticks(across, Scale::kLinear, "", kAcrossTicksMax);
    for (Tick& tick : below)
        tick.text += " " + chart.x_unit;
    std::string drawing = value_axis(frame, chart.y_unit) + axis_below(frame, below);
    for (const Curve& curve : chart.curves)
        drawing += draw(frame, curve);
    return file_of(chart.title, drawing, keys);
}

std::string svg_of(const std::vector<TimelineRow>& timeline) {
    Range time;
    for (const TimelineRow& row : timeline) {
        for (const ChartSpan& span : row.spans) {
            time.include(ms(span.from));
            time.include(ms(span.to));
        }
    }
    if (time.empty()) return {};
    const double height = kRowsTop + kRowHeight * static_cast<double>(timeline.size()) + kBottom;
    Range rows;
    rows.include(0);
    const Frame frame(time, rows, {.left = kRowNames, .top = kRowsTop, .height = height});
    std::string text =
        fmt::format("<figure><svg class='rows' viewBox='0 0 {} {}' role='img' aria-label='timeline'>", kWidth, height);
    text += time_axis(frame);
    double top = kRowsTop;
    for (const TimelineRow& row : timeline) {
        text += fmt::format("<text class='row' x='4' y='{:.1f}'>{}</text>", top + 14, escaped(row.name));
        for (const ChartSpan& span : row.spans)
            text += draw_in_row(frame, span, top);
        top += kRowHeight;
    }
    return text + "</svg></figure>\n";
}

}  // namespace penumbra::cli
