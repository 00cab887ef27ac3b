#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace penumbra::spec {

/// Where something stands in a file, from 1.
struct Place {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

struct Node;

/// A TOML table; its keys in the order of their names, none twice.
struct Table {
    struct Entry;
    std::vector<Entry> entries;
};

/// A TOML value. Dates and times are none of ours and refused when read.
struct Node {
    Place place;
    std::variant<bool, std::int64_t, double, std::string, std::vector<Node>, Table> value;
};

struct Table::Entry {
    std::string key;
    Place place;
    Node node;
};

/// A file a person wrote.
struct Document {
    std::string file;  ///< its name, as errors give it
    Table root;
};

/// Reads TOML text; bounds: kTomlBytesMax, kTomlLineBytesMax, kTomlDepthMax. Errors are kInvalidArgument and begin
/// with "FILE:LINE:COLUMN: ". Thread-safe, no state, no exceptions.
[[nodiscard]] Result<Document> parse(std::string_view file, std::string_view text);

}  // namespace penumbra::spec
