#pragma once

#include <string>
#include <vector>

#include "cli/findings.hpp"
#include "proto/model/api.hpp"

namespace penumbra::cli {

enum class Format : unsigned char { kTable, kJson };

/// What stdout gets for a list or one object. Lists are JSON arrays; both end in a newline. Pure.
[[nodiscard]] std::string render(const std::vector<model::HostView>& hosts, Format format);
[[nodiscard]] std::string render(const std::vector<model::VmView>& vms, Format format);
[[nodiscard]] std::string render(const std::vector<model::GroupView>& groups, Format format);
[[nodiscard]] std::string render(const std::vector<model::ShadowView>& shadows, Format format);
[[nodiscard]] std::string render(const std::vector<model::CommandView>& commands, Format format);
[[nodiscard]] std::string render(const std::vector<model::EventView>& events, Format format);
[[nodiscard]] std::string render(const std::vector<model::TrialStatus>& trials, Format format);
[[nodiscard]] std::string render(const std::vector<model::RolloutStatus>& rollouts, Format format);
[[nodiscard]] std::string render(const std::vector<model::KpiWindow>& windows, Format format);
[[nodiscard]] std::string render(const model::ForecastView& forecast, Format format);
[[nodiscard]] std::string render(const std::vector<model::IsolationReport>& reports, Format format);
[[nodiscard]] std::string render(const std::vector<Finding>& findings, Format format);
[[nodiscard]] std::string render(const model::api::Accepted& accepted, Format format);
[[nodiscard]] std::string render(const model::api::Imported& imported, Format format);
/// With the command that uses it on the host: the token is shown once and stored nowhere.
[[nodiscard]] std::string render(const model::api::Token& token, const HostId& host, Format format);

[[nodiscard]] std::string render(const model::Verdict& verdict, Format format);

/// One trial or rollout in full: the verdict with its evidence, the steps with their hashes.
[[nodiscard]] std::string render_one(const model::TrialStatus& trial, Format format);
[[nodiscard]] std::string render_one(const model::RolloutStatus& rollout, Format format);

}  // namespace penumbra::cli
