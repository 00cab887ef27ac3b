#include "cli/render/table.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/result.hpp"

namespace penumbra::cli {

namespace {
std::string one_line(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return text;
}
}  // namespace

std::size_t columns_of(std::string_view text) noexcept {
    // Every byte that does not continue a code point begins one.
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void Table::add(std::vector<std::string> cells) {
    ASSERT(cells.size() == headings_.size());
    for (std::string& cell : cells)
        cell = one_line(std::move(cell));
    rows_.push_back(std::move(cells));
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    widths.reserve(headings_.size());
    for (const std::string& heading : headings_)
        widths.push_back(columns_of(heading));
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], columns_of(row[i]));
    }
    std::string text;
    const auto append = [&](const std::vector<std::string>& row) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
            text += row[i];
            text.append(widths[i] - columns_of(row[i]) + 2, ' ');
        }
        text += row.back();
        text += '\n';
    };
    append(headings_);
    for (const auto& row : rows_)
        append(row);
    return text;
}

std::string bytes_text(std::uint64_t bytes) {
    static constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

std::string effect_text(double relative) {
    return fmt::format("{:+.1f} %", relative * 100);
}

}  // namespace penumbra::cli
