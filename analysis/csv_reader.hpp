#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace penumbra::analysis {

/// Rows of comma-separated text as people export it, one after the other. A first row without any number or time is
/// the heading; empty lines and lines that begin with # say nothing; a field may stand in double quotes. Every error is
/// kInvalidArgument and reads "FILE:LINE:COLUMN: expected WHAT, found TEXT". The text must outlive the reader. Pure.
class CsvReader {
 public:
    CsvReader(std::string file_name, std::string_view text);

    /// Moves to the next row; false after the last one. Errors: a quote that is not closed.
    [[nodiscard]] Result<bool> next();

    /// Names of the columns in lower case; empty when there is no heading.
    [[nodiscard]] const std::vector<std::string>& heading() const noexcept { return heading_; }
    /// Place of the first of `names` (lower case) that the heading has.
    [[nodiscard]] std::optional<std::size_t> column_of(const std::vector<std::string_view>& names) const;
    /// Where a row has its time: by the heading, else the first column.
    [[nodiscard]] std::size_t time_column() const;

    [[nodiscard]] std::size_t cells() const noexcept { return cells_.size(); }
    /// The field of the present row; empty where the row is shorter.
    [[nodiscard]] std::string_view text(std::size_t column) const noexcept;
    /// 2026-11-24T09:30:00Z, with a space for the T, without seconds or Z; a date alone, at its midnight; or seconds
    /// since 1970. Always UTC.
    [[nodiscard]] Result<WallTime> time(std::size_t column) const;
    /// A finite number.
    [[nodiscard]] Result<double> number(std::size_t column) const;
    /// The same; NaN for an empty field, NA, NaN or null: a value that was not measured.
    [[nodiscard]] Result<double> number_or_missing(std::size_t column) const;
    /// The error for a field of the present row.
    [[nodiscard]] tl::unexpected<Error> unexpected(std::size_t column, std::string_view expected) const;
    [[nodiscard]] const std::string& file_name() const noexcept { return file_name_; }

 private:
    struct Cell {
        std::string_view text;
        std::size_t column = 1;  ///< in the line, from 1
    };
    [[nodiscard]] Result<bool> read_row();

    std::string file_name_;
    std::string_view rest_;
    std::size_t line_ = 0;
    std::size_t line_length_ = 0;
    std::vector<Cell> cells_;
    std::vector<std::string> heading_;
    bool is_waiting_ = false;  ///< a row was read while looking for a heading, and is the next one
    std::optional<Error> broken_;
};

}  // namespace penumbra::analysis
