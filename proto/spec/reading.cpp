#include "proto/spec/reading.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/limits/base.hpp"
#include "base/limits/wire.hpp"

namespace penumbra::spec {

namespace {
using std::chrono::milliseconds;

struct Unit {
    std::string_view name;
    milliseconds length;
};
// "ms" before "m", so that the longer name is tried first.
constexpr Unit kUnits[] = {{"ms", milliseconds(1)},
                           {"s", std::chrono::seconds(1)},
                           {"m", std::chrono::minutes(1)},
                           {"h", std::chrono::hours(1)},
                           {"d", std::chrono::hours(24)}};

std::optional<milliseconds> duration_of(std::string_view text) {
    milliseconds sum{0};
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        std::uint32_t count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (error != std::errc{}) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const auto* unit = std::ranges::find_if(kUnits, [&](const Unit& u) { return text.starts_with(u.name); });
        if (unit == std::end(kUnits)) return std::nullopt;
        text.remove_prefix(unit->name.size());
        sum += unit->length * static_cast<std::int64_t>(count);
        if (sum > limits::kWireDurationMax) return std::nullopt;
    }
    return sum;
}

std::string duration_text(milliseconds length) {
    for (auto unit = std::rbegin(kUnits); unit != std::rend(kUnits); ++unit) {
        if (length >= unit->length && length % unit->length == milliseconds(0)) {
            return fmt::format("{}{}", length / unit->length, unit->name);
        }
    }
    return "0s";
}

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::optional<std::string> likely_meant(std::string_view written, const std::vector<std::string>& known) {
    const auto nearest = std::ranges::min_element(
        known, {}, [&](const std::string& word) { return distance(written.substr(0, limits::kIdBytesMax), word); });
    if (nearest == known.end()) return std::nullopt;
    const std::size_t far = distance(written.substr(0, limits::kIdBytesMax), *nearest);
    if (far > std::max<std::size_t>(1, nearest->size() / 3)) return std::nullopt;
    return *nearest;
}

// A key or value as a sentence may show it.
std::string quoted(std::string_view text) {
    std::string shown = "\"";
    for (const char c : text.substr(0, limits::kIdBytesMax))
        shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    return shown + (text.size() > limits::kIdBytesMax ? "...\"" : "\"");
}
}  // namespace

std::string Reading::where(Place place) const {
    return fmt::format("{}:{}:{}: ", document_.file, place.line, place.column);
}

std::string Reading::named(std::string_view key) const {
    return path_.empty() ? quoted(key) : fmt::format("{} of [{}]", quoted(key), path_);
}

void Reading::wrong(Place place, std::string_view key, std::string_view sentence) {
    if (first_wrong_.empty()) first_wrong_ = fmt::format("{}{}: {}", where(place), named(key), sentence);
}

void Reading::refuse(std::string_view key, std::string_view sentence) {
    const auto entry = std::ranges::find(table_.entries, key, &Table::Entry::key);
    wrong(entry == table_.entries.end() ? place_ : entry->place, key, sentence);
}

bool Reading::has(std::string_view key) const {
    return std::ranges::find(table_.entries, key, &Table::Entry::key) != table_.entries.end();
}

const Node* Reading::find(std::string_view key, Need need) {
    expected_.emplace_back(key);
    const auto entry = std::ranges::find(table_.entries, key, &Table::Entry::key);
    if (entry != table_.entries.end()) return &entry->node;
    if (need == Need::kRequired && first_missing_.empty()) {
        first_missing_ = fmt::format("{}the key {} is missing", where(place_), named(key));
    }
    return nullptr;
}

bool Reading::text_of(std::string_view key, const Node& node, std::string& into) {
    const auto* text = std::get_if<std::string>(&node.value);
    if (text == nullptr) {
        wrong(node.place, key, "text in quotes is expected");
        return false;
    }
    if (text->size() > limits::kTextBytesMax) {
        wrong(node.place, key, fmt::format("it is longer than {} bytes", limits::kTextBytesMax));
        return false;
    }
    into = *text;
    return true;
}

void Reading::text(std::string_view key, std::string& into, Need need) {
    const Node* node = find(key, need);
    if (node != nullptr) static_cast<void>(text_of(key, *node, into));
}

void Reading::word(std::string_view key, std::size_t& into, const std::vector<std::string_view>& words, Need need) {
    const Node* node = find(key, need);
    std::string written;
    if (node == nullptr || !text_of(key, *node, written)) return;
    const auto found = std::ranges::find(words, written);
    if (found == words.end()) {
        const auto meant = likely_meant(written, {words.begin(), words.end()});
        return wrong(node->place, key,
                     fmt::format("{} is not one of \"{}\"{}", quoted(written), fmt::join(words, "\", \""),
                                 meant.has_value() ? fmt::format("; did you mean \"{}\"?", *meant) : ""));
    }
    into = static_cast<std::size_t>(found - words.begin());
}

void Reading::flag(std::string_view key, bool& into) {
    const Node* node = find(key, Need::kOptional);
    if (node == nullptr) return;
    if (const bool* value = std::get_if<bool>(&node->value)) {
        into = *value;
    } else {
        wrong(node->place, key, "true or false is expected");
    }
}

bool Reading::number_of(std::string_view key, const Node& node, double low, double high, double& into) {
    double value = std::nan("");
    if (const double* real = std::get_if<double>(&node.value)) value = *real;
    if (const std::int64_t* whole = std::get_if<std::int64_t>(&node.value)) value = static_cast<double>(*whole);
    // A NaN is in no range.
    if (!(value >= low && value <= high)) {
        wrong(node.place, key, fmt::format("a number from {} to {} is expected", low, high));
        return false;
    }
    into = value;
    return true;
}

void Reading::number(std::string_view key, double& into, double low, double high, Need need) {
    const Node* node = find(key, need);
    if (node != nullptr) static_cast<void>(number_of(key, *node, low, high, into));
}

void Reading::integer(std::string_view key, std::int64_t& into, std::int64_t low, std::int64_t high) {
    const Node* node = find(key, Need::kOptional);
    if (node == nullptr) return;
    const std::int64_t* value = std::get_if<std::int64_t>(&node->value);
    if (value == nullptr || *value < low || *value > high) {
        return wrong(node->place, key, fmt::format("a whole number from {} to {} is expected", low, high));
    }
    into = *value;
}

void Reading::duration(std::string_view key, milliseconds& into, milliseconds low, milliseconds high) {
    const Node* node = find(key, Need::kOptional);
    if (node == nullptr) return;
    const std::string* written = std::get_if<std::string>(&node->value);
    const std::optional<milliseconds> length = written == nullptr ? std::nullopt : duration_of(*written);
    if (!length.has_value()) {
        return wrong(node->place, key, "a length of time is expected, as \"30s\", \"5m\" or \"1h30m\"");
    }
    if (*length < low || *length > high) {
        return wrong(node->place, key,
                     fmt::format("it must be from {} to {}", duration_text(low), duration_text(high)));
    }
    into = *length;
}

void Reading::duration(std::string_view key, std::chrono::seconds& into, std::chrono::seconds low,
                       std::chrono::seconds high) {
    milliseconds length = into;
    duration(key, length, low, high);
    if (length % std::chrono::seconds(1) != milliseconds(0)) refuse(key, "whole seconds are expected");
    into = std::chrono::duration_cast<std::chrono::seconds>(length);
}

bool Reading::texts_of(std::string_view key, const Node& node, std::size_t count_max, std::vector<std::string>& into) {
    const auto* items = std::get_if<std::vector<Node>>(&node.value);
    if (items == nullptr || items->size() > count_max) {
        wrong(node.place, key, fmt::format("a list of at most {} texts is expected, as [\"a\", \"b\"]", count_max));
        return false;
    }
    std::vector<std::string> texts;
    for (const Node& item : *items) {
        if (!text_of(key, item, texts.emplace_back())) return false;
    }
    into = std::move(texts);
    return true;
}

void Reading::texts(std::string_view key, std::vector<std::string>& into, std::size_t count_max) {
    const Node* node = find(key, Need::kOptional);
    if (node != nullptr) static_cast<void>(texts_of(key, *node, count_max, into));
}

void Reading::text_lists(std::string_view key, std::vector<std::vector<std::string>>& into, std::size_t count_max,
                         std::size_t each_max) {
    const Node* node = find(key, Need::kOptional);
    if (node == nullptr) return;
    const auto* items = std::get_if<std::vector<Node>>(&node->value);
    if (items == nullptr || items->size() > count_max) {
        return wrong(node->place, key,
                     fmt::format("a list of at most {} lists is expected, as [[\"a\"], [\"b\", \"c\"]]", count_max));
    }
    std::vector<std::vector<std::string>> lists;
    for (const Node& item : *items) {
        if (!texts_of(key, item, each_max, lists.emplace_back())) return;
    }
    into = std::move(lists);
}

void Reading::numbers(std::string_view key, std::vector<double>& into, double low, double high, std::size_t count_max) {
    const Node* node = find(key, Need::kOptional);
    if (node == nullptr) return;
    const auto* items = std::get_if<std::vector<Node>>(&node->value);
    if (items == nullptr || items->size() > count_max) {
        return wrong(node->place, key, fmt::format("a list of at most {} numbers is expected", count_max));
    }
    std::vector<double> values;
    for (const Node& item : *items) {
        if (!number_of(key, item, low, high, values.emplace_back())) return;
    }
    into = std::move(values);
}

void Reading::integers(std::string_view key, std::map<std::string, std::int64_t>& into, std::int64_t low,
                       std::size_t count_max, Need need) {
    const Node* node = find(key, need);
    if (node == nullptr) return;
    const Table* inner = std::get_if<Table>(&node->value);
    if (inner == nullptr || inner->entries.empty() || inner->entries.size() > count_max) {
        return wrong(node->place, key, fmt::format("a table of 1 to {} whole numbers is expected", count_max));
    }
    std::map<std::string, std::int64_t> values;
    for (const Table::Entry& entry : inner->entries) {
        const std::int64_t* value = std::get_if<std::int64_t>(&entry.node.value);
        if (value == nullptr || *value < low || entry.key.empty() || entry.key.size() > limits::kIdBytesMax) {
            return wrong(entry.place, key,
                         fmt::format("{} must be a whole number, at least {}", quoted(entry.key), low));
        }
        values[entry.key] = *value;
    }
    into = std::move(values);
}

void Reading::read_inner(const Table& inner, std::string path, Place place, const std::function<void(Reading&)>& read) {
    Reading reading(document_, inner, std::move(path), place);
    read(reading);
    const Result<void> finished = reading.finish();
    if (!finished.has_value() && first_wrong_.empty()) first_wrong_ = finished.error().message;
}

void Reading::table(std::string_view key, const std::function<void(Reading&)>& read, Need need) {
    const Node* node = find(key, need);
    if (node == nullptr) return;
    const Table* inner = std::get_if<Table>(&node->value);
    if (inner == nullptr) return wrong(node->place, key, fmt::format("a table is expected, as [{}]", key));
    read_inner(*inner, path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key), node->place, read);
}

void Reading::tables(std::string_view key, const std::function<void(Reading&)>& read, std::size_t count_max) {
    const Node* node = find(key, Need::kOptional);
    if (node == nullptr) return;
    const std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
    const auto* items = std::get_if<std::vector<Node>>(&node->value);
    if (items == nullptr || items->size() > count_max) {
        return wrong(node->place, key, fmt::format("at most {} tables are expected, each as [[{}]]", count_max, path));
    }
    for (const Node& item : *items) {
        const Table* inner = std::get_if<Table>(&item.value);
        if (inner == nullptr) return wrong(item.place, key, fmt::format("a table is expected, as [[{}]]", path));
        read_inner(*inner, path, item.place, read);
    }
}

Result<void> Reading::finish() {
    for (const Table::Entry& entry : table_.entries) {
        if (std::ranges::find(expected_, entry.key) != expected_.end()) continue;
        const auto meant = likely_meant(entry.key, expected_);
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}{} is no key here{}; expected are: {}", where(entry.place), named(entry.key),
                                meant.has_value() ? fmt::format("; did you mean \"{}\"?", *meant) : "",
                                fmt::join(expected_, ", ")));
    }
    if (!first_wrong_.empty()) return fail(ErrorCode::kInvalidArgument, first_wrong_);
    if (!first_missing_.empty()) return fail(ErrorCode::kInvalidArgument, first_missing_);
    return {};
}

}  // namespace penumbra::spec
