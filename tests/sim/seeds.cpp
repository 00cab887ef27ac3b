#include "tests/sim/seeds.hpp"

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

namespace penumbra::sim {

namespace {
std::uint64_t number_or(std::string_view text, std::uint64_t otherwise) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}
}  // namespace

Seeds seeds_from_environment(Seeds otherwise) {
    const char* set = std::getenv("PENUMBRA_SIM_SEEDS");
    if (set == nullptr) return otherwise;
    const std::string_view text(set);
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        const std::uint64_t one = number_or(text, otherwise.first);
        return {.first = one, .last = one, .trace = true};
    }
    return {.first = number_or(text.substr(0, colon), otherwise.first),
            .last = number_or(text.substr(colon + 1), otherwise.last)};
}

std::string replay(std::uint64_t seed, std::string_view test) {
    return fmt::format("PENUMBRA_SIM_SEEDS={} {} --gtest_filter={}", seed,
                       std::filesystem::read_symlink("/proc/self/exe").string(), test);
}

}  // namespace penumbra::sim
