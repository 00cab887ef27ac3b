#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

#include "cli/session.hpp"

/// `penumbra analyze`: the mathematics on files of one's own. Nobody is asked; a session's Ask is never called.
namespace penumbra::cli {

/// A metric's history in a file.
struct SeriesQuestion {
    std::filesystem::path file;
    std::string column;            ///< of the values; empty: "value", or the first that is not the time
    std::chrono::seconds step{0};  ///< of the grid it is put on; 0: the most frequent distance
    std::chrono::seconds horizon{24 * 60 * 60};
    std::chrono::minutes utc_offset{0};  ///< of the clock that people there live by
};

/// Quantiles of what comes, with how often they held; a picture in `svg` if it is not empty.
[[nodiscard]] Result<ExitCode> analyze_forecast(Session& session, const SeriesQuestion& question,
                                                const std::filesystem::path& svg);
/// How good such forecasts were over the history's second half, beside the two that cost nothing.
[[nodiscard]] Result<ExitCode> analyze_backtest(Session& session, const SeriesQuestion& question, std::size_t origins);

}  // namespace penumbra::cli
