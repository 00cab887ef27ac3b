#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "cli/session.hpp"

/// Every verb of `penumbra`, a file a noun (cli/host.cpp, cli/shadow.cpp, ...). What takes long waits for its end
/// unless the session says otherwise, and then ends with the code of how it ended.
namespace penumbra::cli {

// ---- host, doctor
[[nodiscard]] Result<ExitCode> host_token(Session& session, HostId host);
[[nodiscard]] Result<ExitCode> host_clean(Session& session, HostId host);
[[nodiscard]] Result<ExitCode> host_retire(Session& session, HostId host);
/// kFailed when it found anything.
[[nodiscard]] Result<ExitCode> doctor(Session& session);

// ---- group, shadow
[[nodiscard]] Result<ExitCode> replicate(Session& session, GroupId group);
[[nodiscard]] Result<ExitCode> shadow_create(Session& session, model::ShadowSpec spec);
[[nodiscard]] Result<ExitCode> shadow_destroy(Session& session, ShadowId shadow);
/// Of one arm, or of each arm when `arm` is empty. kFailed when a frame was seen on production, or the positive
/// control saw none.
[[nodiscard]] Result<ExitCode> shadow_probe(Session& session, ShadowId shadow, ArmId arm);

// ---- trial, rollout
[[nodiscard]] Result<ExitCode> trial_run(Session& session, const std::filesystem::path& file);
[[nodiscard]] Result<ExitCode> trial_show(Session& session, TrialId trial);
[[nodiscard]] Result<ExitCode> trial_abort(Session& session, TrialId trial);
[[nodiscard]] Result<ExitCode> rollout_apply(Session& session, const std::filesystem::path& file);
[[nodiscard]] Result<ExitCode> rollout_show(Session& session, RolloutId rollout);
[[nodiscard]] Result<ExitCode> rollout_confirm(Session& session, RolloutId rollout);
[[nodiscard]] Result<ExitCode> rollout_abort(Session& session, RolloutId rollout);

// ---- history, commands, kpi, report
[[nodiscard]] Result<ExitCode> history_import(Session& session, GroupId group, std::string metric,
                                              const std::filesystem::path& file);
[[nodiscard]] Result<ExitCode> command_resolve(Session& session, CommandId command, bool happened);
/// The windows of the last `span` at one vantage; their response times also as an HdrHistogram log if a file is named.
[[nodiscard]] Result<ExitCode> kpi_list(Session& session, model::Vantage vantage, std::chrono::seconds span,
                                        const std::filesystem::path& histogram_log);
/// report.html and report.json in `folder`, which is made.
[[nodiscard]] Result<ExitCode> write_report(Session& session, const std::filesystem::path& folder, std::string version);

}  // namespace penumbra::cli
