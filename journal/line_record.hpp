#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/result.hpp"

namespace penumbra::journal {

/// A list of `key value` lines; in keys and values everything but printable ASCII is %XX. Value type.
class LineRecord {
 public:
    [[nodiscard]] static Result<LineRecord> parse(std::string_view text);
    void add(std::string_view key, std::string_view value);
    [[nodiscard]] std::string text() const;

    /// Takes the first line of this key out; kDataLoss when there is none.
    [[nodiscard]] Result<std::string> take(std::string_view key);
    /// Takes out every line of this key.
    [[nodiscard]] std::vector<std::string> take_repeated(std::string_view key);
    /// Takes out every line whose key begins with `prefix`, as (rest of the key, value).
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> take_all(std::string_view prefix);

 private:
    std::vector<std::pair<std::string, std::string>> lines_;
};

/// A whole decimal number and nothing else.
template <class Number>
[[nodiscard]] Result<Number> parse_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return fail(ErrorCode::kDataLoss, fmt::format("'{}' is not a number", text));
    }
    return number;
}

}  // namespace penumbra::journal
