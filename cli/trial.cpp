#include "base/durable_file.hpp"
#include "base/limits/local.hpp"
#include "cli/verbs.hpp"
#include "cli/wait.hpp"

namespace penumbra::cli {

Result<ExitCode> trial_run(Session& session, const std::filesystem::path& file) {
    std::string toml = TRY(read_file(file, limits::kTomlBytesMax));
    const auto accepted = TRY(ask_for<model::api::Accepted>(
        session.ask, model::api::RunTrial{.file_name = file.filename().native(), .toml = std::move(toml)}));
    if (!session.wait) {
        session.print(render(accepted, session.format));
        return ExitCode::kDone;
    }
    const model::TrialStatus trial = TRY(wait_for_trial(session, TRY(named_by<TrialId>(accepted, "trial"))));
    session.print(render_one(trial, session.format));
    return trial.verdict.has_value() ? exit_code(trial.verdict->kind) : ExitCode::kInvalid;
}

Result<ExitCode> trial_show(Session& session, TrialId trial) {
    const auto trials =
        TRY(ask_for<std::vector<model::TrialStatus>>(session.ask, model::api::ListTrials{.trial = trial}));
    if (trials.empty()) {
        return fail(ErrorCode::kNotFound, fmt::format("there is no trial {}: see `penumbra trial list`", trial.text()));
    }
    session.print(render_one(trials.front(), session.format));
    return ExitCode::kDone;
}

Result<ExitCode> trial_abort(Session& session, TrialId trial) {
    TRY(ask_for<model::api::Accepted>(session.ask, model::api::AbortTrial{trial}));
    if (session.wait) session.print(render_one(TRY(wait_for_trial(session, trial)), session.format));
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
