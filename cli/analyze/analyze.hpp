#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/session.hpp"

/// `penumbra analyze`: the mathematics on files of one's own. Nobody is asked; a session's Ask is never called.
namespace penumbra::cli {

/// A metric's history in a file.
struct SeriesQuestion {
    std::filesystem::path file;
    std::string column;            ///< of the values; empty: "value", or the first that is not the time
    std::vector<std::string> sum;  ///< columns that are foretold together, with their sum; empty: one column
    std::chrono::seconds step{0};  ///< of the grid it is put on; 0: the most frequent distance
    std::chrono::seconds horizon{24 * 60 * 60};
    std::chrono::minutes utc_offset{0};  ///< of the clock that people there live by
    std::string time_zone;               ///< its IANA zone, daylight saving and all, instead; empty: none
    std::filesystem::path holidays;      ///< a file of special days (analysis::forecast::parse_special_days)
};

/// Two arms in two files, or in one with a column "arm".
struct JudgeQuestion {
    enum class Judge : unsigned char { kLabV1, kKayentaV1 };
    std::vector<std::string> files;
    std::string column;  ///< of the values; empty: "response_ms" or "value"
    Judge judge = Judge::kLabV1;
    double margin = 0;               ///< harm that a PASS excludes, relative; 0: the judge's own
    double confidence = 0.95;        ///< 1 - P(PASS | harm of the margin)
    std::chrono::seconds window{0};  ///< 0: 10 s for response times, else the usual distance of the rows
    bool align = false;              ///< the arms were measured one after the other
    std::filesystem::path svg;
};

/// Load, throughput and latency in a file.
struct CapacityQuestion {
    std::filesystem::path file;
    double latency_max_ms = 0;       ///< what must hold; 0: only that what is offered is answered
    double size = 0;                 ///< whose throughput is asked for, where the file has a column "size"; 0: none
    std::chrono::seconds step{120};  ///< that one more step of load takes, its warm-up included
    std::filesystem::path svg;
};

/// What there is to run, and what it costs. Numbers stand in one word, with colons between them.
struct ScalingQuestion {
    SeriesQuestion series;
    std::vector<std::string> sizes;  ///< VCPUS:GIB:PER_SECOND each, what one such instance holds within its objective
    std::string hosts;               ///< VCPUS:GIB:COUNT
    std::string prices;              ///< VCPU:GIB:INSTANCE:HOST of an hour; empty: as ScalingPlanner's
    std::string running;             ///< SIZE:INSTANCES:HOSTS, the size by its place from 1; empty: enough for now
    unsigned hosts_may_fail = 1;
    double quantile = 0.95;
    std::chrono::seconds lead_time{15 * 60};
    std::chrono::seconds cooldown{10 * 60};
    std::filesystem::path svg;
};

/// Quantiles of what comes, with how often they held; a picture in `svg` if it is not empty.
[[nodiscard]] Result<ExitCode> analyze_forecast(Session& session, const SeriesQuestion& question,
                                                const std::filesystem::path& svg);
/// How good such forecasts were over the history's second half, beside the two that cost nothing.
[[nodiscard]] Result<ExitCode> analyze_backtest(Session& session, const SeriesQuestion& question, std::size_t origins);
/// Whether the treated arm is harmed; ends with the verdict's code, as a trial does.
[[nodiscard]] Result<ExitCode> analyze_judge(Session& session, const JudgeQuestion& question);
/// The staircase, its knee, what a queue and the scaling law say of it, and the throughput of another size.
[[nodiscard]] Result<ExitCode> analyze_capacity(Session& session, const CapacityQuestion& question);
/// The cheapest deployment that holds the forecast, when to start what, and why; ends with kFailed where the hosts are
/// too few or the warning was too short.
[[nodiscard]] Result<ExitCode> analyze_plan(Session& session, const ScalingQuestion& question);

}  // namespace penumbra::cli
