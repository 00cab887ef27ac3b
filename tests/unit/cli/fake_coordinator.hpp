#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/session.hpp"

namespace penumbra::cli::testing {

/// A coordinator that says what a test laid down, and a session that keeps what a verb says. Time passes only in
/// pause(). Thread-bound.
class FakeCoordinator {
 public:
    /// Answers in their order to every kind of request; the last one goes on being said.
    void says(Result<model::api::ReplyBody> reply) { replies_.push_back(std::move(reply)); }

    [[nodiscard]] Session session() {
        return {.ask = [this](model::api::RequestBody body) -> Result<model::api::ReplyBody> {
                    asked.push_back(std::move(body));
                    if (replies_.empty()) return fail(ErrorCode::kInternal, "the test laid down no reply");
                    const auto reply = replies_.front();
                    if (replies_.size() > 1) replies_.erase(replies_.begin());
                    return reply;
                },
                .print = [this](std::string_view text) { printed += text; },
                .progress = [this](std::string_view line) { progress.emplace_back(line); },
                .pause =
                    [this](std::chrono::milliseconds time) {
                        now += time;
                        ASSERT(++pauses < 10'000);
                    },
                .now = [this] { return now; }};
    }

    std::vector<model::api::RequestBody> asked;
    std::string printed;
    std::vector<std::string> progress;
    WallTime now{std::chrono::hours(24 * 365 * 56)};
    int pauses = 0;

 private:
    std::vector<Result<model::api::ReplyBody>> replies_;
};

}  // namespace penumbra::cli::testing
