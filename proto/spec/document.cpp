#include "proto/spec/document.hpp"

#include <algorithm>

#include <fmt/format.h>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
// Its assertions are reached by malformed text ("[=") that the code behind them refuses in words; ours is not a debug
// build of the library, and a person's slip must not end the coordinator.
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>

#include "base/limits/local.hpp"
#include "base/limits/spec.hpp"

namespace penumbra::spec {

namespace {
Place place_of(const toml::source_region& source) {
    return {.line = source.begin.line, .column = source.begin.column};
}

tl::unexpected<Error> fail_at(std::string_view file, Place place, std::string_view what) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}:{}:{}: {}", file, place.line, place.column, what));
}

Result<Table> table_of(std::string_view file, const toml::table& table, std::size_t depth);

Result<Node> node_of(std::string_view file, const toml::node& node, std::size_t depth) {
    const Place place = place_of(node.source());
    if (depth > limits::kTomlDepthMax) {
        return fail_at(file, place, fmt::format("this is nested deeper than {} levels", limits::kTomlDepthMax));
    }
    if (const auto* boolean = node.as_boolean()) return Node{place, boolean->get()};
    if (const auto* integer = node.as_integer()) return Node{place, integer->get()};
    if (const auto* real = node.as_floating_point()) return Node{place, real->get()};
    if (const auto* text = node.as_string()) return Node{place, text->get()};
    if (const auto* table = node.as_table()) return Node{place, TRY(table_of(file, *table, depth))};
    if (const auto* array = node.as_array()) {
        std::vector<Node> items;
        for (const toml::node& item : *array)
            items.push_back(TRY(node_of(file, item, depth + 1)));
        return Node{place, std::move(items)};
    }
    return fail_at(file, place, "dates and times have no meaning here; a length of time is written as \"30s\"");
}

Result<Table> table_of(std::string_view file, const toml::table& table, std::size_t depth) {
    Table made;
    for (const auto& [key, node] : table) {
        made.entries.push_back({.key = std::string(key.str()),
                                .place = place_of(key.source()),
                                .node = TRY(node_of(file, node, depth + 1))});
    }
    return made;
}

// Dotted keys nest once a dot, and toml++ undoes a nest by recursion: short lines keep its stack short.
Result<void> check_lines(std::string_view file, std::string_view text) {
    std::uint32_t line = 1;
    for (std::size_t begin = 0; begin < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        if (end - begin > limits::kTomlLineBytesMax) {
            return fail_at(file, {.line = line, .column = 1},
                           fmt::format("this line is longer than {} bytes", limits::kTomlLineBytesMax));
        }
        begin = end + 1;
    }
    return {};
}
}  // namespace

Result<Document> parse(std::string_view file, std::string_view text) {
    if (text.size() > limits::kTomlBytesMax) {
        return fail_at(file, {.line = 1, .column = 1},
                       fmt::format("the file is longer than {} bytes", limits::kTomlBytesMax));
    }
    TRY(check_lines(file, text));
    const toml::parse_result parsed = toml::parse(text, file);
    if (!parsed) return fail_at(file, place_of(parsed.error().source()), parsed.error().description());
    return Document{.file = std::string(file), .root = TRY(table_of(file, parsed.table(), 0))};
}

}  // namespace penumbra::spec
