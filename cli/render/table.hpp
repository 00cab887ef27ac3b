#pragma once

#include <string>
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

}  // namespace penumbra::cli
