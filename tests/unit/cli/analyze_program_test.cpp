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
