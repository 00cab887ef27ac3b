#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

/// The small pieces of report.html. Text that is given as `html` is put in as it stands; everything else is escaped.
namespace penumbra::cli {

/// A verdict, an outcome: bold, and in its colour.
[[nodiscard]] std::string word(std::string_view text);
/// One line that does not break; `is_text`: as wide as there is room, and breaks.
[[nodiscard]] std::string cell(std::string_view html, bool is_text = false);
[[nodiscard]] std::string hash_cell(const std::string& hash);
/// A row of its own below another, over the whole width: the reason of what stands above it. "" without a text.
[[nodiscard]] std::string row_below(std::size_t columns, std::string_view text);
/// A table under its headings; "" without rows.
[[nodiscard]] std::string table_of(std::initializer_list<std::string_view> headings, std::string_view rows);
/// A p value: four places, and "< 0.0001" for what is less.
[[nodiscard]] std::string p_text(double p_value);

/// What has a `begun`, by that time; what has not begun comes last.
template <class Item>
[[nodiscard]] std::vector<Item> by_begin(std::vector<Item> items) {
    std::ranges::stable_sort(items, {},
                             [](const Item& item) { return item.begun == WallTime{} ? WallTime::max() : item.begun; });
    return items;
}

}  // namespace penumbra::cli
