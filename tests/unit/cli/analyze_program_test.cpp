// `penumbra analyze` as an operator starts it, on files of its own and with no coordinator.

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>

#include "analysis/histogram_log.hpp"
#include "base/durable_file.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::cli {
namespace {

constexpr std::size_t kOutputMax = 16 * 1024 * 1024;

struct Ended {
    int code = -1;
    std::string out;
    std::string err;
};

class Analyze : public ::testing::Test {
 protected:
    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(folder_.path() / name) << text;
        return folder_.path() / name;
    }
    std::string read(const std::string& name) { return read_file(folder_.path() / name, kOutputMax).value_or(""); }

    Ended run(std::vector<std::string> arguments) {
        const char* program = std::getenv("PENUMBRA_PROGRAM");
        EXPECT_NE(program, nullptr) << "meson gives the program's path";
        arguments.insert(arguments.begin(), {"penumbra", "--socket", "/nonexistent/socket", "analyze"});
        std::vector<char*> argv;
        for (std::string& argument : arguments)
            argv.push_back(argument.data());
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        for (const int fd : {1, 2}) {
            const std::string file = folder_.path() / std::to_string(fd);
            posix_spawn_file_actions_addopen(&actions, fd, file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        }
        pid_t pid = 0;
        EXPECT_EQ(::posix_spawn(&pid, program, &actions, nullptr, argv.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        int status = 0;
        EXPECT_EQ(::waitpid(pid, &status, 0), pid);
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("1"), read("2")};
    }

    penumbra::testing::TemporaryDirectory folder_;
};

// Hours of a day's wave between 60 and 140, with a ripple.
std::string waves(std::size_t days) {
    std::string csv = "time,other,value\n";
    for (std::size_t i = 0; i < days * 24; ++i) {
        const auto hour = static_cast<double>(i);
        const double value = 100 - 40 * std::cos(2 * std::numbers::pi * hour / 24) + 3 * std::sin(hour * 1.7);
        csv += std::to_string(1793577600 + i * 3600) + ",-5," + std::to_string(value) + "\n";
    }
    return csv;
}

TEST_F(Analyze, AForecastKnowsTheClockAndTheHolidays) {
    const std::string file = write("load.csv", waves(28));
    // the history ends on 29 November
    const std::string days = write("days.csv", "2026-11-30,strike,sunday\n");
    const Ended ended = run({"forecast", file, "--timezone", "Europe/Berlin", "--holidays", days});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_NE(ended.out.find("2026-11-30 is a strike, of which 0 were seen"), std::string::npos) << ended.out;
    EXPECT_NE(run({"forecast", file, "--timezone", "Europe/Berlin", "--utc-offset", "1"}).code, 0);
    const Ended unknown = run({"forecast", file, "--timezone", "Europe/Atlantis"});
    EXPECT_NE(unknown.code, 0);
    EXPECT_NE(unknown.err.find("no time zone \"Europe/Atlantis\""), std::string::npos) << unknown.err;
    write("days.csv", "2026-11-30,strike,someday\n");
    EXPECT_NE(run({"forecast", file, "--holidays", days}).err.find("days.csv:1:19"), std::string::npos);
}

TEST_F(Analyze, ASumIsForetoldFromItsColumns) {
    std::string csv = "time,a,b\n";
    for (std::size_t i = 0; i < 24 * 21; ++i) {
        const auto hour = static_cast<double>(i);
        // opposite ripples: the sum is steadier than its parts
        const double ripple = 20 * std::sin(hour * hour * 0.37);
        csv += std::to_string(1793577600 + i * 3600) + "," + std::to_string(100 + ripple) + "," +
               std::to_string(100 - ripple) + "\n";
    }
    const std::string file = write("pair.csv", csv);
    const Ended json = run({"forecast", file, "--sum", "a,b", "-o", "json", "--svg", (folder_.path() / "s.svg")});
    ASSERT_EQ(json.code, 0) << json.err;
    const auto found = nlohmann::json::parse(json.out);
    ASSERT_EQ(found["sum"].size(), 24U);
    const auto& steps = found["each"]["a"]["steps"];
    EXPECT_LT(found["sum"][5]["values"][2].get<double>() - found["sum"][5]["values"][0].get<double>(),
              0.5 * (steps[5]["values"][2].get<double>() - steps[5]["values"][0].get<double>()));
    EXPECT_NE(read("s.svg").find("<svg"), std::string::npos);
    const Ended table = run({"forecast", file, "--sum", "a,b"});
    EXPECT_NE(table.out.find("peak of the sum"), std::string::npos) << table.out;
    EXPECT_NE(run({"forecast", file, "--sum", "a,c"}).err.find("no column \"c\""), std::string::npos);
}

TEST_F(Analyze, AForecastHasQuantilesThatHeldAndAPicture) {
    const std::string file = write("load.csv", waves(28));
    const Ended table = run({"forecast", file, "--horizon", "12h", "--svg", (folder_.path() / "fan.svg").native()});
    EXPECT_EQ(table.code, 0) << table.err;
    EXPECT_NE(table.out.find("weekly regime from 672 points"), std::string::npos) << table.out;
    EXPECT_NE(table.out.find("past coverage"), std::string::npos);
    EXPECT_NE(table.out.find("2026-11-30T11:00:00.000Z"), std::string::npos) << table.out;
    EXPECT_TRUE(read("fan.svg").starts_with("<svg xmlns=")) << read("fan.svg").substr(0, 80);
    const Ended json = run({"forecast", file, "-o", "json"});
    const auto said = nlohmann::json::parse(json.out);
    ASSERT_EQ(said["steps"].size(), 24U);
    EXPECT_NEAR(said["steps"][12]["values"][0].get<double>(), 140, 6);
    EXPECT_NEAR(said["past_coverage"][2].get<double>(), 0.95, 0.05);
}

TEST_F(Analyze, AnotherColumnMayBeBelowZero) {
    const Ended json = run({"forecast", write("load.csv", waves(4)), "--column", "other", "-o", "json"});
    EXPECT_EQ(json.code, 0) << json.err;
    EXPECT_NEAR(nlohmann::json::parse(json.out)["steps"][0]["values"][0].get<double>(), -5, 0.01);
}

TEST_F(Analyze, ABacktestStandsBesideSimpleForecasts) {
    const Ended ended = run({"backtest", write("load.csv", waves(28)), "--origins", "8", "-o", "json"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    const auto said = nlohmann::json::parse(ended.out);
    EXPECT_EQ(said["origins"], 8);
    ASSERT_EQ(said["scores"].size(), 3U);
    EXPECT_EQ(said["scores"][1]["method"], "naive");
    EXPECT_LT(said["scores"][0]["mase"].get<double>(), said["scores"][1]["mase"].get<double>());
}

// A row a minute of both arms in one file; treated takes `more` times as long.
std::string twins(double more) {
    std::string csv = "time,arm,value\n";
    for (std::size_t i = 0; i < 120; ++i) {
        const std::string at = std::to_string(1793577600 + i * 60);
        const double ripple = std::sin(static_cast<double>(i) * 1.7) + std::cos(static_cast<double>(i * i));
        csv += at + ",control," + std::to_string(0.02 + 0.001 * ripple) + "\n";
        csv += at + ",treated," + std::to_string((0.02 + 0.001 * std::cos(static_cast<double>(3 * i))) * more) + "\n";
    }
    return csv;
}

// Requests of one arm, ten a second for five minutes.
std::string requests(double response_ms, std::size_t failed_each, std::size_t later_s) {
    std::string csv = "time,response_ms,error\n";
    for (std::size_t i = 0; i < 3000; ++i) {
        const auto ripple = std::sin(static_cast<double>(i * i));
        csv += std::to_string(1793577600 + later_s + i / 10) + "," + std::to_string(response_ms * (1 + 0.3 * ripple)) +
               (failed_each > 0 && i % failed_each == 0 ? ",1\n" : ",0\n");
    }
    return csv;
}

TEST_F(Analyze, AJudgementEndsAsATrialDoes) {
    const std::string same = write("same.csv", twins(1));
    const std::string worse = write("worse.csv", twins(1.5));
    const Ended pass = run({"judge", same, "--svg", (folder_.path() / "arms.svg").native()});
    EXPECT_EQ(pass.code, 0) << pass.err << pass.out;
    EXPECT_NE(pass.out.find("verdict: PASS"), std::string::npos) << pass.out;
    EXPECT_NE(pass.out.find("\nvalue "), std::string::npos) << "in the file's own words: " << pass.out;
    EXPECT_TRUE(read("arms.svg").starts_with("<svg xmlns="));
    const Ended failed = run({"judge", worse, "-o", "json"});
    EXPECT_EQ(failed.code, 4) << failed.err;
    const auto said = nlohmann::json::parse(failed.out);
    EXPECT_EQ(said["kind"], "FAIL") << failed.out;
    EXPECT_NEAR(said["evidence"][0]["effect"].get<double>(), 0.5, 0.05);
    EXPECT_EQ(run({"judge", worse, "--margin", "0.9"}).code, 4) << "harm of half the margin that is sure";
    EXPECT_EQ(run({"judge", same, "--window", "1h"}).code, 5) << "two windows";
}

TEST_F(Analyze, RequestsOfTwoFilesAreJudgedByTheirErrorsToo) {
    const std::string control = write("control.csv", requests(20, 0, 0));
    const std::string slow = write("slow.csv", requests(40, 0, 0));
    const std::string failing = write("failing.csv", requests(20, 10, 0));
    const std::string later = write("later.csv", requests(20, 0, 86400));
    const Ended slower = run({"judge", control, slow, "--window", "5s"});
    EXPECT_EQ(slower.code, 4) << slower.out << slower.err;
    EXPECT_NE(slower.out.find("response_time_p95"), std::string::npos);
    EXPECT_EQ(run({"judge", control, failing, "--window", "5s"}).code, 4);
    EXPECT_EQ(run({"judge", control, control, "--window", "5s"}).code, 0);
    const Ended apart = run({"judge", control, later});
    EXPECT_EQ(apart.code, 2);
    EXPECT_NE(apart.err.find("--align"), std::string::npos) << apart.err;
    EXPECT_EQ(run({"judge", control, later, "--align", "--window", "5s"}).code, 0);
}

// Sixty intervals of ten seconds with a hundred requests each.
std::string histogram_log(double response_ms, WallTime begin, const std::string& tag) {
    std::vector<analysis::LoggedInterval> intervals;
    for (std::size_t i = 0; i < 60; ++i) {
        analysis::LoggedInterval interval{.begin = begin + std::chrono::seconds(10 * i),
                                          .length = std::chrono::seconds(10),
                                          .tag = tag,
                                          .values = {}};
        const double ripple = 1 + 0.1 * std::sin(static_cast<double>(i * i));
        for (std::size_t k = 1; k <= 10; ++k)
            interval.values.push_back(
                {static_cast<std::uint64_t>(response_ms * 100 * ripple * static_cast<double>(k)), 10});
        intervals.push_back(interval);
    }
    return analysis::hdr_log_of(intervals).value_or("");
}

TEST_F(Analyze, HistogramLogsAreJudgedByTheirIntervals) {
    const WallTime begin{std::chrono::seconds(1793577600)};
    const std::string control = write("control.hlog", histogram_log(20, begin, ""));
    const std::string slow = write("slow.hlog", histogram_log(40, begin, ""));
    const std::string later = write("later.hlog", histogram_log(20, begin + std::chrono::hours(24), ""));
    const Ended failed = run({"judge", control, slow});
    EXPECT_EQ(failed.code, 4) << failed.out << failed.err;
    EXPECT_NE(failed.out.find("response_time_p95"), std::string::npos) << failed.out;
    EXPECT_EQ(run({"judge", control, control}).code, 0);
    EXPECT_EQ(run({"judge", control, later}).code, 2);
    EXPECT_EQ(run({"judge", control, later, "--align"}).code, 0);
    const std::string both =
        write("both.hlog", histogram_log(20, begin, "control") + histogram_log(41, begin, "treated"));
    EXPECT_EQ(run({"judge", both}).code, 4);
    EXPECT_NE(run({"judge", control}).err.find("the tag \"\""), std::string::npos);
    const Ended cut = run({"judge", write("cut.hlog", read("control.hlog").substr(0, 300)), slow});
    EXPECT_EQ(cut.code, 1);
    EXPECT_NE(cut.err.find("cut.hlog:4: "), std::string::npos) << cut.err;
}

TEST_F(Analyze, TheOtherJudgeLabelsAndScores) {
    const Ended pass = run({"judge", write("same.csv", twins(1)), "--judge", "kayenta-v1"});
    EXPECT_EQ(pass.code, 0) << pass.err << pass.out;
    EXPECT_NE(pass.out.find("score 100"), std::string::npos) << pass.out;
    const Ended failed = run({"judge", write("worse.csv", twins(1.5)), "--judge", "kayenta-v1", "-o", "json"});
    EXPECT_EQ(failed.code, 4) << failed.err;
    EXPECT_EQ(nlohmann::json::parse(failed.out)["metrics"][0]["label"], "High");
    EXPECT_EQ(run({"judge", write("no.csv", "time,arm,value\n1,control,\n1,treated,\n"), "--judge", "kayenta-v1"}).code,
              6);
}

TEST_F(Analyze, AnArmThatIsMalformedIsNamed) {
    const std::string one = write("one.csv", "time,value\n1793577600,2\n");
    EXPECT_NE(run({"judge", one}).err.find("needs a column \"arm\""), std::string::npos);
    const std::string word = write("word.csv", "time,arm,value\n1793577600,canary,2\n");
    EXPECT_NE(run({"judge", word}).err.find("word.csv:2:12: expected control or treated, found \"canary\""),
              std::string::npos);
    EXPECT_EQ(run({"judge", write("below.csv", "time,arm,value\n1,control,-2\n2,control,1\n1,treated,1\n")}).code, 2);
    EXPECT_EQ(run({"judge", one, write("cells.csv", requests(1, 0, 0))}).code, 2) << "not the same columns";
}

// Three sizes of a queue whose limit grows by less than its size.
std::string staircase() {
    std::string csv = "offered,throughput,latency_ms,size\n";
    for (const double size : {1.0, 2.0, 4.0}) {
        const double limit = 100 * size / (1 + 0.05 * (size - 1));
        for (const double share : {0.2, 0.4, 0.6, 0.8, 0.9, 1.2}) {
            for (std::size_t i = 0; i < 6; ++i) {
                const double ripple = 1 + 0.01 * std::sin(static_cast<double>(i) * 1.7);
                csv += std::to_string(share * limit) + "," + std::to_string(std::min(share, 1.0) * limit) + "," +
                       std::to_string(10 / (1 - std::min(share, 0.98)) * ripple) + "," + std::to_string(size) + "\n";
            }
        }
    }
    return csv;
}

TEST_F(Analyze, APlanHoldsTheForecastAndSaysWhen) {
    const std::string file = write("load.csv", waves(28));
    const std::vector<std::string> plan = {"plan", file, "--size", "2:4:30", "--hosts", "8:32:4", "--lead-time", "2h"};
    auto drawn = plan;
    drawn.insert(drawn.end(), {"--running", "1:3:2", "-o", "json", "--svg", folder_.path() / "p.svg"});
    const Ended json = run(drawn);
    ASSERT_EQ(json.code, 1) << "what runs is too little now, and two hours are long: " << json.err;
    const auto found = nlohmann::json::parse(json.out);
    EXPECT_GT(found["short_steps"], 0);
    EXPECT_EQ(found["decisions"][0]["action"], "grow");
    EXPECT_EQ(found["steps"].size(), 24U);
    EXPECT_GE(found["steps"][12]["holds_per_second"], found["steps"][12]["demand_per_second"]);
    EXPECT_NE(read("p.svg").find("<svg"), std::string::npos);
    const Ended table = run(plan);
    EXPECT_EQ(table.code, 0) << table.err << table.out;
    EXPECT_NE(table.out.find("2 vCPU 4 GiB on"), std::string::npos) << table.out;
    auto bad = plan;
    bad[3] = "2:4";
    EXPECT_NE(run(bad).err.find("--size \"2:4\" is not VCPUS:GIB:PER_SECOND"), std::string::npos);
}

TEST_F(Analyze, ALoadTestSaysItsCapacityAndThatOfAnotherSize) {
    const std::string file = write("load.csv", staircase());
    const Ended table = run({"capacity", file, "--latency-max", "60", "--svg", (folder_.path() / "c.svg").native()});
    EXPECT_EQ(table.code, 0) << table.err;
    EXPECT_NE(table.out.find("size 1: capacity 80 a second"), std::string::npos) << table.out;
    EXPECT_NE(table.out.find("at 90 a second the latency is"), std::string::npos) << table.out;
    EXPECT_TRUE(read("c.svg").starts_with("<svg xmlns="));
    const Ended json = run({"capacity", file, "--latency-max", "60", "--at-size", "8", "-o", "json"});
    const auto said = nlohmann::json::parse(json.out);
    ASSERT_EQ(said["curves"].size(), 3U);
    // between the step that held and the one that broke, at each size
    ASSERT_EQ(said["next_steps"].size(), 3U);
    EXPECT_GT(said["next_steps"][0]["bits_per_minute"].get<double>(), 0.1);
    EXPECT_EQ(said["shadow_size"]["size"], 4);
    EXPECT_NE(table.out.find("next at size 1: offer"), std::string::npos) << table.out;
    EXPECT_NEAR(said["curves"][0]["queue"]["limit_per_second"].get<double>(), 100, 2);
    EXPECT_NEAR(said["at_size"]["throughput_per_second"].get<double>(), 0.8 * 800 / 1.35, 10);
    EXPECT_TRUE(said["at_size"]["interval"].is_null()) << "three sizes, three unknowns";
    EXPECT_EQ(run({"capacity", file, "--at-size", "30"}).code, 1) << "beyond four times what was measured";
}

TEST_F(Analyze, ALoadTestThatIsMalformedIsNamed) {
    EXPECT_NE(run({"capacity", write("no.csv", "a,b\n1,2\n")}).err.find("offered, throughput, latency_ms"),
              std::string::npos);
    const Ended ended = run({"capacity", write("bad.csv", "offered,throughput,latency_ms\n10,10,0\n")});
    EXPECT_EQ(ended.code, 2);
    EXPECT_NE(ended.err.find("bad.csv:2:7: expected a number above 0, found \"0\""), std::string::npos) << ended.err;
}

TEST_F(Analyze, AMalformedFileIsNamedWithLineAndColumn) {
    const std::string file = write("bad.csv", "time,value\n2026-11-02T00:00:00Z,1\n2026-11-02T01:00:00Z,much\n");
    for (const char* verb : {"forecast", "backtest"}) {
        const Ended ended = run({verb, file});
        EXPECT_EQ(ended.code, 2);
        EXPECT_EQ(ended.out, "");
        EXPECT_EQ(ended.err,
                  "penumbra: bad.csv:3:22: expected a number, or nothing where it was not measured, found \"much\"\n");
    }
}

TEST_F(Analyze, WhatCannotBeAnsweredIsSaid) {
    const std::string file = write("load.csv", waves(2));
    EXPECT_EQ(run({"backtest", file}).code, 2);
    EXPECT_EQ(run({"forecast", file, "--horizon", "1m"}).code, 2);
    EXPECT_EQ(run({"forecast", file, "--horizon", "soon"}).code, 2);
    EXPECT_EQ(run({"forecast", folder_.path() / "none.csv"}).code, 1);
    EXPECT_EQ(run({"forecast"}).code, 2);
}

}  // namespace
}  // namespace penumbra::cli
