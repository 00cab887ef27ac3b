#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penumbra::cli {

/// Rows under headings, as a terminal shows them: columns as wide as their widest cell, two spaces apart, no line
/// drawn. A cell keeps to one line: control characters, which a guest or client could have sent, are shown as '?'.
/// Value type.
class Table {
 public:
    explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

    /// One row; as many cells as there are headings.
    void add(std::vector<std::string> cells);
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

 private:
    std::vector<std::string> headings_;
    std::vector<std::vector<std::string>> rows_;
};

/// How many terminal columns a UTF-8 text takes, one a code point; a broken sequence counts each byte.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;

/// 1536 -> "1.5 KiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// 0.0312 -> "+3.1 %".
[[nodiscard]] std::string effect_text(double relative);

}  // namespace penumbra::cli
