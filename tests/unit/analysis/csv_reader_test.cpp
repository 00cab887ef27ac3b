#include "analysis/csv_reader.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "analysis/forecast/history_csv.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis {
namespace {

using forecast::parse_history;
using testing::fails;
using testing::is_ok;
using namespace std::chrono_literals;

const WallTime kBegin{std::chrono::sys_days(std::chrono::year(2026) / 11 / 2)};

TEST(CsvReader, TellsAHeadingFromARow) {
    CsvReader with("a.csv", "\xef\xbb\xbf\"TimeStamp\", Value\r\n# no row\n\n1,\"2\"\n");
    EXPECT_EQ(with.heading(), (std::vector<std::string>{"timestamp", "value"}));
    EXPECT_EQ(with.column_of({"nothing", "value"}), 1U);
    EXPECT_EQ(with.column_of({"nothing"}), std::nullopt);
    ASSERT_TRUE(is_ok(with.next()));
    EXPECT_EQ(with.number(1).value(), 2);
    EXPECT_FALSE(with.next().value());
    CsvReader without("a.csv", "1,2");
    EXPECT_TRUE(without.heading().empty());
    ASSERT_TRUE(without.next().value());
    EXPECT_EQ(without.cells(), 2U);
    EXPECT_FALSE(without.next().value());
    EXPECT_FALSE(CsvReader("a.csv", "").next().value());
}

TEST(CsvReader, AQuotedFieldMayHoldACommaAndAQuote) {
    CsvReader reader("a.csv", "\"a, \"\"b\"\"\",7\n\"open,8\n");
    ASSERT_TRUE(reader.next().value());
    EXPECT_EQ(reader.text(0), "a, \"\"b\"\"");
    EXPECT_EQ(reader.number(1).value(), 7);
    EXPECT_TRUE(fails(reader.next(), ErrorCode::kInvalidArgument, "a.csv:2:1: expected a closing double quote"));
}

TEST(CsvReader, SaysWhereAndWhatItExpected) {
    CsvReader reader("a.csv", "time,value\n 12, seven,\n");
    ASSERT_TRUE(reader.next().value());
    EXPECT_TRUE(fails(reader.number(1), ErrorCode::kInvalidArgument, "a.csv:2:6: expected a number, found \"seven\""));
    EXPECT_TRUE(fails(reader.number(2), ErrorCode::kInvalidArgument, "expected a number, found nothing"));
    EXPECT_TRUE(fails(reader.number(3), ErrorCode::kInvalidArgument, "a.csv:2:12: expected a number, found the end"));
    EXPECT_TRUE(std::isnan(reader.number_or_missing(2).value()));
    EXPECT_TRUE(fails(reader.number_or_missing(3), ErrorCode::kInvalidArgument, "found the end"));
}

TEST(HistoryCsv, TakesEachKindOfTime) {
    const auto points = parse_history("h.csv",
                                      "time,value\n# a comment\n\n2026-11-02T00:10:00Z, 7.5\r\n"
                                      "2026-11-02 00:20,8\n1793579400,9\n2026-11-02T00:40:00.250Z,10\n");
    ASSERT_TRUE(is_ok(points));
    const std::vector<std::pair<WallTime, double>> expected{
        {kBegin + 10min, 7.5}, {kBegin + 20min, 8}, {kBegin + 30min, 9}, {kBegin + 40min + 250ms, 10}};
    ASSERT_EQ(points->size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ((*points)[i].at, expected[i].first);
        EXPECT_EQ((*points)[i].value, expected[i].second);
    }
}

TEST(HistoryCsv, TakesTheColumnThatIsNamed) {
    const std::string csv = "host,ts,cpu,value\na,1793577600,3,4\na,1793577660,5,6\n";
    EXPECT_EQ(parse_history("h.csv", csv)->front().value, 4);
    EXPECT_EQ(parse_history("h.csv", csv, "cpu")->back().value, 5);
    EXPECT_EQ(parse_history("h.csv", csv, "cpu")->back().at, kBegin + 1min);
    EXPECT_TRUE(fails(parse_history("h.csv", csv, "disk"), ErrorCode::kInvalidArgument,
                      "no column \"disk\"; it has host, ts, cpu, value"));
    EXPECT_TRUE(fails(parse_history("h.csv", "1,2\n", "cpu"), ErrorCode::kInvalidArgument, "no heading"));
}

TEST(HistoryCsv, LeavesOutWhatWasNotMeasured) {
    const auto points =
        parse_history("h.csv", "1793577600,1\n1793577660,\n1793577720,NaN\n1793577780,null\n1793577840,2");
    ASSERT_TRUE(is_ok(points));
    EXPECT_EQ(points->size(), 2U);
}

TEST(HistoryCsv, NamesTheLineItDoesNotUnderstand) {
    for (const char* line : {"1793577600;3", "2026-13-01T00:00:00Z,3", "2026-11-02T25:00:00Z,3", "yesterday,3",
                             "1793577600,inf", "1793577600", "-5,3", "time,value", "2026-11-02T00:00:61Z,1"}) {
        EXPECT_TRUE(fails(parse_history("h.csv", std::string("time,value\n1793577600,1\n") + line),
                          ErrorCode::kInvalidArgument, "h.csv:3:"))
            << line;
    }
    EXPECT_TRUE(fails(parse_history("h.csv", "time,value\n"), ErrorCode::kInvalidArgument, "no point"));
    EXPECT_TRUE(
        fails(parse_history("h.csv", "1,2,3\n"), ErrorCode::kInvalidArgument, "h.csv:1:5: expected TIME,VALUE"));
    EXPECT_TRUE(fails(parse_history("h.csv", "time,value\n1,\n"), ErrorCode::kInvalidArgument, "no point"));
}

}  // namespace
}  // namespace penumbra::analysis
