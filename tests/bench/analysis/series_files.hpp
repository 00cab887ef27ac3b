#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/forecast/forecaster.hpp"

namespace penumbra::bench {

/// One series of the public sets in the data folder, on its own grid; `group` as the figures name it.
struct Series {
    std::string group;
    std::string name;
    analysis::forecast::History history;
    std::vector<double> future;  ///< M4 only: the values to be foretold
};

/// M4 hourly, `train.csv` and `test.csv` of the folder.
[[nodiscard]] std::vector<Series> load_m4(const std::filesystem::path& data);
/// Everything at five minutes: Bitbrains, Crane and Microsoft (averaged from one minute), NAB.
[[nodiscard]] std::vector<Series> load_five_minutes(const std::filesystem::path& data);

}  // namespace penumbra::bench
