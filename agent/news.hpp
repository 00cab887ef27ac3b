#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/core/events.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace penumbra::agent {

/// What is wrong on this host as one flow sees it, whole: the next one of the same flow takes its place.
struct Troubles {
    std::string flow;
    std::vector<std::string> sentences;
    std::vector<std::string> hints;  ///< nothing is broken, but something will be refused or missed
};
/// What flows tell the loop that owns the core.
using News = std::variant<Event, Troubles>;
/// Thread-safe; waits for room, so a flow that talks too much is slowed down and nothing it said is lost.
using Tell = std::function<void(News)>;

// ---- reports, as a worker makes them
[[nodiscard]] model::CommandReport succeeded(const model::Command& command, model::Outcome outcome, WallTime at);
[[nodiscard]] model::CommandReport failed(const model::Command& command, const Error& error, WallTime at);
/// `done` is 0..1.
[[nodiscard]] model::CommandReport progressed(const model::Command& command, double done, std::string message,
                                              std::chrono::seconds left = std::chrono::seconds(0));
/// How a command ended whose outcome is `result`.
template <class T>
[[nodiscard]] model::CommandReport ended(const model::Command& command, Result<T> result, WallTime at) {
    if (!result.has_value()) return failed(command, result.error(), at);
    return succeeded(command, std::move(*result), at);
}
[[nodiscard]] model::CommandReport ended(const model::Command& command, const Result<void>& result, WallTime at);

}  // namespace penumbra::agent
