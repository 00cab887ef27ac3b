#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penumbra::sim {

/// Which seeds to run. PENUMBRA_SIM_SEEDS=17 or =1:5000 overrides the test's own; a single one is traced to stderr.
struct Seeds {
    std::uint64_t first = 1;
    std::uint64_t last = 1;
    bool trace = false;
};
[[nodiscard]] Seeds seeds_from_environment(Seeds otherwise);
/// The command line that runs this one seed of this one test again, with its trace.
[[nodiscard]] std::string replay(std::uint64_t seed, std::string_view test);

}  // namespace penumbra::sim
