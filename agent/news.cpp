#include "agent/news.hpp"

#include <algorithm>
#include <utility>

#include "base/limits/wire.hpp"

namespace penumbra::agent {

model::CommandReport succeeded(const model::Command& command, model::Outcome outcome, WallTime at) {
    return {.command = command.id,
            .state = model::CommandState::kSucceeded,
            .at = at,
            .progress = 1,
            .outcome = std::move(outcome)};
}

model::CommandReport failed(const model::Command& command, const Error& error, WallTime at) {
    return {.command = command.id,
            .state = model::CommandState::kFailed,
            .error_code = error.code,
            .message = error.describe().substr(0, limits::kTextBytesMax),
            .at = at};
}

model::CommandReport progressed(const model::Command& command, double done, std::string message,
                                std::chrono::seconds left) {
    return {.command = command.id,
            .state = model::CommandState::kRunning,
            .message = std::move(message),
            .progress = std::clamp(done, 0.0, 1.0),
            .time_left = left};
}

model::CommandReport ended(const model::Command& command, const Result<void>& result, WallTime at) {
    if (!result.has_value()) return failed(command, result.error(), at);
    return succeeded(command, model::Done{}, at);
}

}  // namespace penumbra::agent
