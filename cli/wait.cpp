#include "cli/wait.hpp"

#include <algorithm>

#include "base/limits/cli.hpp"

namespace penumbra::cli {

namespace {
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string span_text(seconds span) {
    if (span < seconds(0)) span = seconds(0);
    if (span < std::chrono::minutes(2)) return fmt::format("{} s", span.count());
    return fmt::format("{} min", (span.count() + 30) / 60);
}

// A coordinator that is restarted answers again, and what was asked goes on without it.
bool may_come_back(const Error& error) {
    return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded;
}

/// Looks every kLookInterval until `ended`; `words` are the progress of what is not.
template <class View, class Ended, class Words>
Result<View> look_until(Session& session, const model::api::RequestBody& request, const Ended& ended,
                        const Words& words) {
    milliseconds away{0};
    while (true) {
        Result<std::vector<View>> views = ask_for<std::vector<View>>(session.ask, request);
        if (views.has_value() && views->empty()) {
            return fail(ErrorCode::kNotFound, "the coordinator does not know it any more: see `penumbra events`");
        }
        if (views.has_value() && ended(views->front())) {
            session.progress("");
            return std::move(views->front());
        }
        if (!views.has_value() && (!may_come_back(views.error()) || away >= limits::kCoordinatorAwayMax)) {
            session.progress("");
            return tl::unexpected(std::move(views).error());
        }
        away = views.has_value() ? milliseconds(0) : away + limits::kLookInterval;
        session.progress(views.has_value() ? words(views->front())
                                           : "the coordinator does not answer; what was asked goes on, waiting for it");
        session.pause(limits::kLookInterval);
    }
}

std::string words_of(const model::CommandView& command) {
    std::string words =
        fmt::format("{} on {}: {}", command.operation, command.host.text(), model::to_string(command.state));
    if (command.progress > 0) words += fmt::format(", {:.0f} %", command.progress * 100);
    if (command.time_left > seconds(0)) words += fmt::format(", {} left", span_text(command.time_left));
    if (!command.reason.empty()) words += ": " + command.reason;
    return words;
}

// How long the phases of a trial take by its file; boot and replay's start are not in it.
seconds length_of(const model::TrialSpec& spec) {
    std::size_t steps = 1;
    if (spec.kind == model::TrialKind::kLoad) {
        steps = spec.aim.has_value() ? spec.aim->steps : std::max<std::size_t>(1, spec.load_multiples.size());
    }
    return spec.warm_up + spec.baseline + spec.settle + spec.measure * static_cast<std::int64_t>(steps);
}

std::string words_of_trial(const model::TrialStatus& status, WallTime now) {
    const auto gone = std::chrono::duration_cast<seconds>(now - status.begun);
    const seconds whole = length_of(status.spec);
    const std::string words = fmt::format(
        "trial {}: {}, {:.0f} %, {} left", status.spec.trial.text(), model::to_string(status.state),
        std::clamp(100.0 * static_cast<double>(gone.count()) / static_cast<double>(whole.count()), 0.0, 99.0),
        span_text(whole - gone));
    return status.reason.empty() ? words : words + ": " + status.reason;
}
}  // namespace

Result<model::CommandView> wait_for_command(Session& session, const CommandId& command) {
    return look_until<model::CommandView>(
        session, model::api::ListCommands{command},
        [](const model::CommandView& view) {
            // UNKNOWN ends by the agent's report or a person's word, which may be days: not waited for.
            return model::is_final(view.state) || view.state == model::CommandState::kUnknown;
        },
        words_of);
}

Result<model::TrialStatus> wait_for_trial(Session& session, const TrialId& trial) {
    return look_until<model::TrialStatus>(
        session, model::api::ListTrials{trial},
        [](const model::TrialStatus& status) { return status.state == model::TrialState::kEnded; },
        [&session](const model::TrialStatus& status) { return words_of_trial(status, session.now()); });
}

Result<model::RolloutStatus> wait_for_rollout(Session& session, const RolloutId& rollout) {
    return look_until<model::RolloutStatus>(
        session, model::api::ListRollouts{rollout},
        [](const model::RolloutStatus& status) { return status.state == model::RolloutState::kEnded; },
        [&session](const model::RolloutStatus& status) {
            const auto gone = std::chrono::duration_cast<seconds>(session.now() - status.begun);
            std::string words = fmt::format("rollout {}: {} since {}", status.spec.rollout.text(),
                                            model::to_string(status.state), span_text(gone));
            if (status.targets.size() > 1) {
                words += fmt::format(", VM {} of {}", status.target + 1, status.targets.size());
            }
            if (!status.reason.empty()) words += ": " + status.reason;
            if (status.state != model::RolloutState::kShadowTrial || status.trial.empty()) return words;
            // How far the trial is that it waits for; a look that fails is made again in a second.
            const auto trials =
                ask_for<std::vector<model::TrialStatus>>(session.ask, model::api::ListTrials{status.trial});
            if (!trials.has_value() || trials->empty()) return words;
            return fmt::format("rollout {}: {}; {}", status.spec.rollout.text(), model::to_string(status.state),
                               words_of_trial(trials->front(), session.now()));
        });
}

Result<std::optional<model::CommandView>> carry_out(Session& session, model::api::RequestBody request) {
    const auto accepted = TRY(ask_for<model::api::Accepted>(session.ask, std::move(request)));
    if (!session.wait) {
        session.print(render(accepted, session.format));
        return std::nullopt;
    }
    model::CommandView view = TRY(wait_for_command(session, TRY(named_by<CommandId>(accepted, "command"))));
    switch (view.state) {
        case model::CommandState::kSucceeded:
            return view;
        case model::CommandState::kUnknown:
            return fail(
                ErrorCode::kDeadlineExceeded,
                fmt::format("contact with {} was lost while it did {}: when it is back, `penumbra command list` "
                            "shows what became of {}",
                            view.host.text(), view.operation, view.id.text()));
        case model::CommandState::kRejected:
            return fail(ErrorCode::kPermissionDenied,
                        fmt::format("{} refused {}: {}", view.host.text(), view.operation, view.reason));
        case model::CommandState::kFailed:
        case model::CommandState::kCancelled:
        case model::CommandState::kExpired:
        case model::CommandState::kPlanned:
        case model::CommandState::kQueued:
        case model::CommandState::kSent:
        case model::CommandState::kAccepted:
        case model::CommandState::kRunning:
            break;
    }
    return fail(ErrorCode::kInternal, fmt::format("{} on {} ended {}: {}", view.operation, view.host.text(),
                                                  model::to_string(view.state), view.reason));
}

}  // namespace penumbra::cli
