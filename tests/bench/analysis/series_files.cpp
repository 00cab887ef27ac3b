#include "tests/bench/analysis/series_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

namespace penumbra::bench {

namespace {

using analysis::forecast::History;
using analysis::forecast::Observation;
using namespace std::chrono_literals;

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream input(line);
    for (std::string field; std::getline(input, field, ',');) {
        std::erase_if(field, [](char c) { return c == '"' || c == '\r'; });
        fields.push_back(field);
    }
    return fields;
}

/// Seconds since 1970 of "2014-02-14 14:27:00", "2019-10-31T20:35:00Z" or a plain number; NaN for a heading.
double seconds_of(const std::string& text) {
    std::tm when{};
    for (const char* const format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y %H:%M"}) {
        if (strptime(text.c_str(), format, &when) != nullptr) return static_cast<double>(timegm(&when));
    }
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    return end != text.c_str() && *end == 0 ? number : NAN;
}

std::vector<Observation> two_columns(const std::filesystem::path& file) {
    std::vector<Observation> observations;
    std::ifstream input(file);
    for (std::string line; std::getline(input, line);) {
        const auto fields = split(line);
        if (fields.size() < 2) continue;
        const double at = seconds_of(fields[0]);
        char* end = nullptr;
        const double value = std::strtod(fields[1].c_str(), &end);
        if (!std::isfinite(at) || end == fields[1].c_str() || !std::isfinite(value)) continue;
        observations.push_back({.at = WallTime(std::chrono::seconds(static_cast<std::int64_t>(at))), .value = value});
    }
    return observations;
}

void add(std::vector<Series>& all, const std::string& group, const std::filesystem::path& file) {
    const auto observations = two_columns(file);
    // an hourly series on this grid would be one value in twelve
    const auto own_grid = analysis::forecast::on_grid(observations, 0ms);
    if (own_grid && own_grid->step > 5min) return;
    auto history = analysis::forecast::on_grid(observations, 5min);
    if (!history || history->values.size() < 8 * 288) return;
    all.push_back({.group = group, .name = file.stem().string(), .history = *std::move(history)});
}

}  // namespace

std::vector<Series> load_m4(const std::filesystem::path& data) {
    std::map<std::string, std::vector<double>> future;
    const auto read = [&](const char* name, auto&& take) {
        std::ifstream input(data / "forecast/m4_hourly" / name);
        for (std::string line; std::getline(input, line);) {
            const auto fields = split(line);
            std::vector<double> values;
            for (std::size_t i = 1; i < fields.size(); ++i)
                values.push_back(std::strtod(fields[i].c_str(), nullptr));
            if (!values.empty() && values.front() != 0) take(fields[0], std::move(values));
        }
    };
    read("test.csv", [&](const std::string& id, std::vector<double> values) { future[id] = std::move(values); });
    std::vector<Series> all;
    read("train.csv", [&](const std::string& id, std::vector<double> values) {
        all.push_back(
            {.group = "m4", .name = id, .history = {.step = 1h, .values = std::move(values)}, .future = future[id]});
    });
    return all;
}

std::vector<Series> load_five_minutes(const std::filesystem::path& data) {
    std::vector<Series> all;
    std::ifstream input(data / "forecast/bitbrains_small/cpu_mhz_5min.csv");
    for (std::string line; std::getline(input, line);) {
        const auto fields = split(line);
        const double begin = fields.size() > 3 ? seconds_of(fields[2]) : NAN;
        if (!std::isfinite(begin)) continue;
        Series series{.group = "bitbrains", .name = fields[0]};
        series.history = {.begin = WallTime(std::chrono::seconds(static_cast<std::int64_t>(begin))), .step = 5min};
        for (std::size_t i = 3; i < fields.size(); ++i) {
            series.history.values.push_back(fields[i].empty() ? NAN : std::strtod(fields[i].c_str(), nullptr));
        }
        all.push_back(std::move(series));
    }
    const auto folder = [&](const char* name, auto&& group_of) {
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(data / "forecast" / name))
            files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        for (const auto& file : files) {
            if (file.extension() == ".csv" && !group_of(file.stem().string()).empty()) {
                add(all, group_of(file.stem().string()), file);
            }
        }
    };
    folder("crane_dsp", [](const std::string&) { return std::string("crane"); });
    folder("ms_cloud_monitoring", [](const std::string&) { return std::string("microsoft"); });
    folder("nab", [](const std::string& name) {
        if (name.starts_with("nyc")) return std::string();  // half-hourly
        return std::string(name.starts_with("Twitter") ? "nab_tweets" : "nab_aws");
    });
    return all;
}

}  // namespace penumbra::bench
