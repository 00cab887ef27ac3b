#include "base/durable_file.hpp"
#include "base/limits/local.hpp"
#include "cli/verbs.hpp"
#include "cli/wait.hpp"

namespace penumbra::cli {

namespace {
Result<ExitCode> end_of(Session& session, const RolloutId& rollout) {
    const model::RolloutStatus status = TRY(wait_for_rollout(session, rollout));
    session.print(render_one(status, session.format));
    return status.outcome.has_value() ? exit_code(*status.outcome) : ExitCode::kUnknown;
}
}  // namespace

Result<ExitCode> rollout_apply(Session& session, const std::filesystem::path& file) {
    std::string toml = TRY(read_file(file, limits::kTomlBytesMax));
    const auto accepted = TRY(ask_for<model::api::Accepted>(
        session.ask, model::api::ApplyRollout{.file_name = file.filename().native(), .toml = std::move(toml)}));
    const RolloutId rollout = TRY(named_by<RolloutId>(accepted, "rollout"));
    if (session.wait) return end_of(session, rollout);
    session.print(render(accepted, session.format));
    return ExitCode::kDone;
}

Result<ExitCode> rollout_show(Session& session, RolloutId rollout) {
    const auto rollouts =
        TRY(ask_for<std::vector<model::RolloutStatus>>(session.ask, model::api::ListRollouts{.rollout = rollout}));
    if (rollouts.empty()) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("there is no rollout {}: see `penumbra rollout list`", rollout.text()));
    }
    session.print(render_one(rollouts.front(), session.format));
    return ExitCode::kDone;
}

Result<ExitCode> rollout_confirm(Session& session, RolloutId rollout) {
    TRY(ask_for<model::api::Accepted>(session.ask, model::api::ConfirmRollout{rollout}));
    return session.wait ? end_of(session, rollout) : ExitCode::kDone;
}

// Its end is what was asked for: ABORTED, and also ROLLED_BACK, is success here.
Result<ExitCode> rollout_abort(Session& session, RolloutId rollout) {
    TRY(ask_for<model::api::Accepted>(session.ask, model::api::AbortRollout{rollout}));
    if (!session.wait) return ExitCode::kDone;
    const ExitCode end = TRY(end_of(session, rollout));
    return end == ExitCode::kAborted || end == ExitCode::kRolledBack ? ExitCode::kDone : end;
}

}  // namespace penumbra::cli
