#include "analysis/statistics/block_bootstrap.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "analysis/random.hpp"
#include "analysis/statistics/sample.hpp"

namespace penumbra::analysis::statistics {

Result<model::Interval> block_bootstrap(std::size_t n, const ResampleStatistic& statistic,
                                        const BootstrapOptions& options) {
    if (n == 0 || options.block == 0 || options.block > n || options.replicates < 20 ||
        !(options.confidence > 0 && options.confidence < 1)) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a bootstrap of {} values in blocks of {}, {} times at confidence {} has no meaning", n,
                                options.block, options.replicates, options.confidence));
    }
    Random random(options.seed);
    std::vector<double> values(options.replicates);
    std::vector<std::size_t> places(n);
    for (double& value : values) {
        for (std::size_t filled = 0; filled < n; filled += options.block) {
            const auto start = static_cast<std::size_t>(random.below(n - options.block + 1));
            for (std::size_t i = 0; i < options.block && filled + i < n; ++i)
                places[filled + i] = start + i;
        }
        value = statistic(places);
        if (!std::isfinite(value)) {
            return fail(ErrorCode::kInvalidArgument, "a bootstrapped statistic is not a number on a resample");
        }
    }
    std::ranges::sort(values);
    const double tail = (1 - options.confidence) / 2;
    return model::Interval{.low = quantile_sorted(values, tail),
                           .high = quantile_sorted(values, 1 - tail),
                           .confidence = options.confidence};
}

}  // namespace penumbra::analysis::statistics
