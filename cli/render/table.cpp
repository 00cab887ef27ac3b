#include "cli/render/table.hpp"

#include <algorithm>

#include "base/result.hpp"
#include "cli/render/text.hpp"

namespace penumbra::cli {

namespace {
std::string one_line(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return text;
}
}  // namespace

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

}  // namespace penumbra::cli
