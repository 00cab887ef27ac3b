#include "journal/line_record.hpp"

#include <algorithm>

namespace penumbra::journal {

namespace {

bool stands_for_itself(char c, bool in_key) {
    return c > ' ' ? c < 0x7f && c != '%' : c == ' ' && !in_key;
}

std::string escape(std::string_view text, bool in_key) {
    std::string escaped;
    for (const char c : text) {
        if (stands_for_itself(c, in_key)) {
            escaped += c;
        } else {
            escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return escaped;
}

Result<std::string> unescape(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        if (text.front() != '%') {
            plain += text.front();
            text.remove_prefix(1);
            continue;
        }
        unsigned value = 0;
        const std::string_view digits = text.substr(1, 2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2) {
            return fail(ErrorCode::kDataLoss, "it holds a '%' that is not an escape");
        }
        plain += static_cast<char>(value);
        text.remove_prefix(3);
    }
    return plain;
}

}  // namespace

void LineRecord::add(std::string_view key, std::string_view value) {
    lines_.emplace_back(key, value);
}

std::string LineRecord::text() const {
    std::string text;
    for (const auto& [key, value] : lines_)
        text += fmt::format("{} {}\n", escape(key, true), escape(value, false));
    return text;
}

Result<LineRecord> LineRecord::parse(std::string_view text) {
    LineRecord record;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return fail(ErrorCode::kDataLoss, "it ends in the middle of a line");
        const std::string_view line = text.substr(0, end);
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) return fail(ErrorCode::kDataLoss, "it holds a line without a value");
        std::string key = TRY(unescape(line.substr(0, space)));
        record.lines_.emplace_back(std::move(key), TRY(unescape(line.substr(space + 1))));
        text.remove_prefix(end + 1);
    }
    return record;
}

Result<std::string> LineRecord::take(std::string_view key) {
    const auto found = std::ranges::find(lines_, key, [](const auto& line) { return std::string_view(line.first); });
    if (found == lines_.end()) return fail(ErrorCode::kDataLoss, fmt::format("its line '{}' is missing", key));
    std::string value = std::move(found->second);
    lines_.erase(found);
    return value;
}

std::vector<std::string> LineRecord::take_repeated(std::string_view key) {
    std::vector<std::string> values;
    for (auto& [name, value] : lines_)
        if (name == key) values.push_back(std::move(value));
    std::erase_if(lines_, [&](const auto& line) { return line.first == key; });
    return values;
}

std::vector<std::pair<std::string, std::string>> LineRecord::take_all(std::string_view prefix) {
    std::vector<std::pair<std::string, std::string>> found;
    for (auto& [name, value] : lines_)
        if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), std::move(value));
    std::erase_if(lines_, [&](const auto& line) { return line.first.starts_with(prefix); });
    return found;
}

}  // namespace penumbra::journal
