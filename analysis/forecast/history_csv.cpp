#include "analysis/forecast/history_csv.hpp"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/csv_reader.hpp"
#include "base/limits/analysis.hpp"

namespace penumbra::analysis::forecast {

namespace {

Result<std::size_t> value_column(const CsvReader& reader, std::string_view column) {
    const std::size_t first_other = reader.time_column() == 0 ? 1 : 0;
    if (column.empty()) return reader.column_of({"value"}).value_or(first_other);
    if (const auto named = reader.column_of({column})) return *named;
    return fail(ErrorCode::kInvalidArgument,
                reader.heading().empty()
                    ? fmt::format("{}: there is no heading, so no column \"{}\": begin it with a line of names",
                                  reader.file_name(), column)
                    : fmt::format("{}: there is no column \"{}\"; it has {}", reader.file_name(), column,
                                  fmt::join(reader.heading(), ", ")));
}

}  // namespace

Result<std::vector<Observation>> parse_history(std::string_view file_name, std::string_view csv,
                                               std::string_view column) {
    CsvReader reader{std::string(file_name), csv};
    const std::size_t at = reader.time_column();
    const std::size_t value_at = TRY(value_column(reader, column));
    std::vector<Observation> points;
    while (TRY(reader.next())) {
        if (reader.heading().empty() && reader.cells() > 2)
            return reader.unexpected(2, "TIME,VALUE and the line's end where no heading names the columns");
        const WallTime time = TRY(reader.time(at));
        const double value = TRY(reader.number_or_missing(value_at));
        if (std::isnan(value)) continue;
        if (points.size() == limits::kForecastHistoryMax) {
            return reader.unexpected(at, fmt::format("at most {} points", limits::kForecastHistoryMax));
        }
        points.push_back({time, value});
    }
    if (points.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}: there is no point in it: expected lines of TIME,VALUE", file_name));
    }
    return points;
}

}  // namespace penumbra::analysis::forecast
