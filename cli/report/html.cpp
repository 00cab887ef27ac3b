#include "cli/report/html.hpp"

#include <fmt/format.h>

#include "cli/report/svg_chart.hpp"

namespace penumbra::cli {

std::string word(std::string_view text) {
    return fmt::format("<span class='word {0}'>{0}</span>", escaped(text));
}

std::string cell(std::string_view html, bool is_text) {
    return fmt::format("<td{}>{}</td>", is_text ? " class='text'" : "", html);
}

std::string hash_cell(const std::string& hash) {
    return cell(hash.empty() ? "-"
                             : fmt::format("<code title='{0}'>{1}</code>", escaped(hash), escaped(hash.substr(0, 12))));
}

std::string row_below(std::size_t columns, std::string_view text) {
    if (text.empty()) return {};
    return fmt::format("<tr class='below'><td class='text' colspan='{}'>{}</td></tr>\n", columns, escaped(text));
}

std::string table_of(std::initializer_list<std::string_view> headings, std::string_view rows) {
    if (rows.empty()) return {};
    std::string head;
    for (const std::string_view heading : headings)
        head += fmt::format("<th>{}</th>", heading);
    return fmt::format("<div class='wide'><table><tr>{}</tr>\n{}</table></div>\n", head, rows);
}

std::string p_text(double p_value) {
    return p_value < 0.0001 ? "&lt; 0.0001" : fmt::format("{:.4f}", p_value);
}

}  // namespace penumbra::cli
