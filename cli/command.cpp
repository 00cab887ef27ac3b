#include "cli/verbs.hpp"

namespace penumbra::cli {

Result<ExitCode> command_resolve(Session& session, CommandId command, bool happened) {
    TRY(ask_for<model::api::Accepted>(
        session.ask, model::api::ResolveCommand{
                         .command = std::move(command),
                         .state = happened ? model::CommandState::kSucceeded : model::CommandState::kFailed}));
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
