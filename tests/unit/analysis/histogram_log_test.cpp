#include "analysis/histogram_log.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/histogram.hpp"
#include "analysis/histogram_codec.hpp"
#include "base/limits/analysis.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::analysis {
namespace {

using testing::fails;
using testing::is_ok;
using namespace std::chrono_literals;

const WallTime kStart{1793577600s};

std::string golden(const std::string& name) {
    const std::ifstream file(std::string(ANALYSIS_GOLDEN_DIR) + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_FALSE(text.str().empty()) << name;
    return text.str();
}

Histogram whole(const LoggedInterval& interval) {
    Histogram histogram;
    EXPECT_TRUE(is_ok(histogram.add(interval.values)));
    return histogram;
}

TEST(HistogramLog, ReadsWhatTheJavaLibraryWrote) {
    const auto intervals = parse_hdr_log("g.hlog", golden("hdr_microseconds.hlog"));
    ASSERT_TRUE(is_ok(intervals));
    ASSERT_EQ(intervals->size(), 4U);
    const auto numbers = nlohmann::json::parse(golden("hdr_microseconds.json"));
    for (std::size_t i = 0; i < 4; ++i) {
        const Histogram histogram = whole((*intervals)[i]);
        EXPECT_EQ((*intervals)[i].begin, kStart + 10s * i);
        EXPECT_EQ((*intervals)[i].length, 10s);
        EXPECT_EQ((*intervals)[i].tag, i == 3 ? "treated" : "");
        EXPECT_EQ(histogram.count(), numbers[i]["count"].get<std::uint64_t>());
        EXPECT_NEAR(histogram.mean(), numbers[i]["mean"].get<double>(), 1e-6 * histogram.mean());
        // quantiles are the tops of cells there; here the last one is no more than the middle that was recorded
        for (const auto& [name, q] : {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p999", 0.999}}) {
            const auto expected = numbers[i][name].get<double>();
            EXPECT_NEAR(static_cast<double>(histogram.quantile(q)), expected, expected / 2048) << name;
        }
    }
}

TEST(HistogramLog, WritesEachByteThatTheJavaLibraryWrites) {
    const std::string text = golden("hdr_microseconds.hlog");
    const auto intervals = parse_hdr_log("g.hlog", text);
    ASSERT_TRUE(is_ok(intervals));
    const auto written = hdr_log_of(*intervals);
    ASSERT_TRUE(is_ok(written));
    EXPECT_EQ(*written, text);
    EXPECT_EQ(hdr_log_of({}).value(), "");
    std::vector<LoggedInterval> backwards(intervals->rbegin(), intervals->rend());
    EXPECT_EQ(parse_hdr_log("b.hlog", hdr_log_of(backwards).value()).value(), backwards);
}

TEST(HistogramLog, KnowsTheUnitByTheMaximum) {
    const auto micro = parse_hdr_log("g.hlog", golden("hdr_microseconds.hlog"));
    const auto nano = parse_hdr_log("g.hlog", golden("hdr_nanoseconds.hlog"));
    ASSERT_TRUE(is_ok(nano));
    ASSERT_EQ(nano->size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
        const double expected = whole((*micro)[i]).mean();
        EXPECT_EQ(whole((*nano)[i]).count(), whole((*micro)[i]).count());
        EXPECT_NEAR(whole((*nano)[i]).mean(), expected, expected / 1000);
    }
}

TEST(HistogramLog, TimesCountFromTheBaseOrFromTheEpoch) {
    const std::string row = golden("hdr_microseconds.hlog").substr(golden("hdr_microseconds.hlog").rfind("3.5"));
    const auto at = [&](const std::string& head, const std::string& begin) {
        return parse_hdr_log("l", head + begin + ",1.0," + row).value().front().begin;
    };
    EXPECT_EQ(at("", "1793577600.5"), kStart + 500ms);
    EXPECT_EQ(at("#[BaseTime: 1793577600.000 (seconds)]\n", "7"), kStart + 7s);
    EXPECT_EQ(at("#[StartTime: 1793577600.000 (seconds)]\n", "7"), kStart + 7s);
    EXPECT_EQ(at("#[StartTime: 1793577600.000 (seconds)]\n", "1793577607"), kStart + 7s);
}

TEST(HistogramLog, NamesTheLineItDoesNotUnderstand) {
    for (const char* line : {"1,2", "x,1,1,HIST", "1,1,1,", "Tag=a", "1,-1,1,HISTFAAA"})
        EXPECT_TRUE(fails(parse_hdr_log("l", std::string("#[x]\n") + line), ErrorCode::kInvalidArgument, "l:2: "))
            << line;
    EXPECT_TRUE(fails(parse_hdr_log("l", "1,1,1,HIST*"), ErrorCode::kDataLoss, "l:1: "));
    EXPECT_TRUE(fails(parse_hdr_log("l", "#[x]\n"), ErrorCode::kInvalidArgument, "no interval"));
    EXPECT_TRUE(looks_like_hdr_log(golden("hdr_microseconds.hlog")));
    EXPECT_FALSE(looks_like_hdr_log("time,value\n"));
}

std::string base64_of_row(std::size_t row) {
    std::istringstream lines(golden("hdr_microseconds.hlog"));
    std::string line;
    for (std::size_t i = 0; i < row + 4; ++i)
        std::getline(lines, line);
    return line.substr(line.rfind(',') + 1);
}

TEST(HistogramCodec, ABrokenHistogramIsAnError) {
    const std::string whole_one = base64_of_row(0);
    ASSERT_TRUE(is_ok(decode_hdr(whole_one)));
    for (std::size_t length = 0; length + 8 < whole_one.size(); length += 7)
        EXPECT_FALSE(decode_hdr(whole_one.substr(0, length)).has_value()) << length;
    for (std::size_t at = 0; at < whole_one.size(); at += 3) {
        std::string changed = whole_one;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(decode_hdr(changed).value_or(std::vector<HdrCell>{}) == *decode_hdr(whole_one)) << at;
    }
    EXPECT_TRUE(fails(decode_hdr("HISTBAAAAAAAAAAA"), ErrorCode::kUnsupported, "version 2"));
    EXPECT_TRUE(fails(decode_hdr("AAAAAAAAAAAA"), ErrorCode::kDataLoss, "begins"));
}

TEST(HistogramCodec, RoundTripsTheWholeRange) {
    const std::vector<model::HistogramBucket> buckets{
        {0, 3}, {1, INT64_MAX}, {2047, 1}, {4097, 70}, {limits::kHistogramValueMax, 5}};
    const auto text = encode_hdr(buckets);
    ASSERT_TRUE(is_ok(text));
    const auto cells = decode_hdr(*text);
    ASSERT_TRUE(is_ok(cells));
    ASSERT_EQ(cells->size(), buckets.size());
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        EXPECT_EQ((*cells)[i].count, buckets[i].count);
        EXPECT_LE((*cells)[i].middle, buckets[i].value_us + buckets[i].value_us / 2048 + 1);
        EXPECT_GE((*cells)[i].highest, buckets[i].value_us);
    }
    EXPECT_TRUE(is_ok(encode_hdr({})));
    const std::vector<model::HistogramBucket> far{{limits::kHistogramValueMax + 1, 1}};
    EXPECT_TRUE(fails(encode_hdr(far), ErrorCode::kInvalidArgument));
    const std::vector<model::HistogramBucket> often{{5, INT64_MAX}, {5, 1}};
    EXPECT_TRUE(fails(encode_hdr(often), ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace penumbra::analysis
