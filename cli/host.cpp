#include "cli/verbs.hpp"
#include "cli/wait.hpp"

namespace penumbra::cli {

Result<ExitCode> host_token(Session& session, HostId host) {
    const auto token = TRY(ask_for<model::api::Token>(session.ask, model::api::MakeToken{host}));
    session.print(render(token, host, session.format));
    return ExitCode::kDone;
}

Result<ExitCode> host_clean(Session& session, HostId host) {
    TRY(carry_out(session, model::api::RemoveEverything{std::move(host)}));
    return ExitCode::kDone;
}

Result<ExitCode> host_retire(Session& session, HostId host) {
    TRY(ask_for<model::api::Accepted>(session.ask, model::api::RetireHost{std::move(host)}));
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
