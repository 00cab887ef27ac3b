#include "cli/report/svg_chart.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/render/text.hpp"

// Drawn by hand rather than by a charting library: the page must open from a file, offline, years later.

namespace penumbra::cli {

namespace {

constexpr double kWidth = 920;
constexpr double kHeight = 260;
constexpr double kLeft = 64;
constexpr double kRowNames = 180;  // left margin of a timeline, whose rows have names
constexpr double kRight = 12;
constexpr double kTop = 30;
constexpr double kBottom = 28;
constexpr double kRowHeight = 22;
constexpr int kTicks = 5;
constexpr double kClockSpanMs = 36.0 * 3600 * 1000;  // an axis longer than this names the day
constexpr double kLegendHeight = 20;

// A file has no page around it to style it.
constexpr std::string_view kFileStyle =
    "<style>text{font-family:system-ui,sans-serif}.title{font-size:13px;font-weight:600;fill:#1c2330}"
    ".tick{font-size:11px;fill:#5b6575}.grid{stroke:#e3e5e8}.line{fill:none;stroke-width:1.6;stroke:#5b6575}"
    ".line.production{stroke:#3b4252}.line.control,.line.median{stroke:#2f7ebb}.line.treated{stroke:#d9722c}"
    ".dot{fill:#5b6575}.dot.production{fill:#3b4252}.dot.control,.dot.median{fill:#2f7ebb}.dot.treated{fill:#d9722c}"
    ".band{fill:#2f7ebb;fill-opacity:.16}.span{fill:#5b6575;fill-opacity:.12}</style>";

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    void include(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    [[nodiscard]] bool empty() const { return low > high; }
};

double ms(WallTime time) {
    return static_cast<double>(time.time_since_epoch().count());
}

std::string clock_text(double at_ms) {
    const auto seconds = static_cast<std::time_t>(at_ms / 1000);
    return fmt::format("{:%H:%M:%S}", fmt::gmtime(seconds));
}

std::string date_text(double at_ms) {
    const auto seconds = static_cast<std::time_t>(at_ms / 1000);
    return fmt::format("{:%m-%d %H:%M}", fmt::gmtime(seconds));
}

/// Maps time and value to the plot's rectangle.
class Frame {
 public:
    Frame(Range time, Range value, double left, double height)
        : time_(time), value_(value), left_(left), height_(height), empty_(time.empty()) {
        if (time_.high <= time_.low) time_.high = time_.low + 1;
        if (value_.high <= value_.low) value_.high = value_.low + 1;
    }
    [[nodiscard]] double x(double at_ms) const {
        return left_ + (at_ms - time_.low) / (time_.high - time_.low) * (kWidth - left_ - kRight);
    }
    [[nodiscard]] double y(double value) const {
        return height_ - kBottom - (value - value_.low) / (value_.high - value_.low) * (height_ - kTop - kBottom);
    }
    [[nodiscard]] const Range& time() const { return time_; }
    [[nodiscard]] const Range& value() const { return value_; }
    [[nodiscard]] double height() const { return height_; }
    [[nodiscard]] double left() const { return left_; }
    [[nodiscard]] bool empty() const { return empty_; }

 private:
    Range time_;
    Range value_;
    double left_;
    double height_;
    bool empty_;  ///< there is no time in it
};

/// A round number near `value` that is not below it: 1, 2, 5 times a power of ten.
double round_up(double value) {
    if (value <= 0) return 1;
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {1.0, 2.0, 2.5, 5.0, 10.0}) {
        if (value <= step * power) return step * power;
    }
    return 10 * power;
}

std::string axis_below(const Frame& frame, const std::function<std::string(double)>& text_of) {
    std::string text;
    for (int tick = 0; tick <= kTicks; ++tick) {
        const double at = frame.time().low + (frame.time().high - frame.time().low) * tick / kTicks;
        const char* anchor = tick == 0 ? "start" : tick == kTicks ? "end" : "middle";
        text += fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='{}'>{}</text>", frame.x(at),
                            frame.height() - 8, anchor, text_of(at));
    }
    return text;
}

std::string time_axis(const Frame& frame) {
    const bool is_long = frame.time().high - frame.time().low > kClockSpanMs;
    return axis_below(frame, is_long ? date_text : clock_text);
}

std::string value_axis(const Frame& frame, std::string_view unit) {
    std::string text = fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='end'>{}</text>",
                                   kWidth - kRight, kTop - 14, escaped(unit));
    for (int tick = 0; tick <= kTicks; ++tick) {
        const double value = frame.value().low + (frame.value().high - frame.value().low) * tick / kTicks;
        text += fmt::format(
            "<line class='grid' x1='{0:.1f}' x2='{1:.1f}' y1='{2:.1f}' y2='{2:.1f}'/>"
            "<text class='tick' x='{3:.1f}' y='{4:.1f}' text-anchor='end'>{5:.4g}</text>",
            kLeft, kWidth - kRight, frame.y(value), kLeft - 6, frame.y(value) + 4, value);
    }
    return text;
}

std::string path_of(const Frame& frame, const std::vector<ChartPoint>& points) {
    if (points.empty()) return {};
    const double usual = (ms(points.back().at) - ms(points.front().at)) / static_cast<double>(points.size());
    std::string path;
    double before = -std::numeric_limits<double>::infinity();
    for (const ChartPoint& point : points) {
        if (!std::isfinite(point.value)) continue;
        const bool gap = ms(point.at) - before > 3 * usual;
        path += fmt::format("{}{:.1f},{:.1f}", path.empty() || gap ? "M" : "L", frame.x(ms(point.at)),
                            frame.y(point.value));
        before = ms(point.at);
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

std::string draw(const Frame& frame, const ChartSpan& span, double top, double height) {
    const double left = std::max(frame.left(), frame.x(ms(span.from)));
    const double right = std::min(kWidth - kRight, frame.x(ms(span.to)));
    return fmt::format(
        "<rect class='span {}' x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}'><title>{} {} to {}</title></rect>",
        escaped(span.css_class), left, top, std::max(2.0, right - left), height, escaped(span.name),
        clock_text(ms(span.from)), clock_text(ms(span.to)));
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
    value.include(0);
    const auto include = [&](const std::vector<ChartPoint>& points) {
        for (const ChartPoint& point : points) {
            if (!std::isfinite(point.value)) continue;
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
    value.high = round_up(value.high);
    return {time, value, kLeft, kHeight};
}

std::string drawing_of(const Chart& chart, const Frame& frame) {
    std::string text;
    for (const ChartSpan& span : chart.spans)
        text += draw(frame, span, kTop, kHeight - kTop - kBottom);
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
    up.high = round_up(up.high);
    const Frame frame(across, up, kLeft, kHeight);
    std::string drawing = value_axis(frame, chart.y_unit) + axis_below(frame, [&](double x) {
                              return fmt::format("{:.4g} {}", x, escaped(chart.x_unit));
                          });
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
    const double height = kTop + kRowHeight * static_cast<double>(timeline.size()) + kBottom;
    Range rows;
    rows.include(0);
    const Frame frame(time, rows, kRowNames, height);
    std::string text =
        fmt::format("<figure><svg viewBox='0 0 {} {}' role='img' aria-label='timeline'>", kWidth, height);
    double top = kTop;
    for (const TimelineRow& row : timeline) {
        text += fmt::format("<text class='row' x='4' y='{:.1f}'>{}</text>", top + 14, escaped(row.name));
        for (const ChartSpan& span : row.spans)
            text += draw(frame, span, top + 2, kRowHeight - 4);
        top += kRowHeight;
    }
    return text + time_axis(frame) + "</svg></figure>\n";
}

}  // namespace penumbra::cli
