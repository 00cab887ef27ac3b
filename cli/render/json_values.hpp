#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "proto/model/api.hpp"

/// The one JSON shape of each noun: what `-o json` prints, report.json holds and the report's page draws. Keys are
/// snake_case with the unit last; times are ISO 8601 in UTC; words are those of the tables.
namespace penumbra::cli {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json json_of(const model::DiskFacts& disk);
[[nodiscard]] Json json_of(const model::NicFacts& nic);
[[nodiscard]] Json json_of(const model::KpiEvidence& evidence);
[[nodiscard]] Json json_of(const model::ArmStatus& arm);
[[nodiscard]] Json json_of(const model::VolumeGeneration& volume);
[[nodiscard]] Json json_of(const model::TrialSpan& span);
[[nodiscard]] Json json_of(const model::LoadStep& step);
[[nodiscard]] Json json_of(const model::RolloutTarget& target);
[[nodiscard]] Json json_of(const model::ForecastPoint& point);
[[nodiscard]] Json json_of(const model::ReplayLedger& ledger);
[[nodiscard]] Json json_of(const model::VmFacts& facts);
[[nodiscard]] Json json_of(const model::HostView& view);
[[nodiscard]] Json json_of(const model::VmView& view);
[[nodiscard]] Json json_of(const model::Generation& generation);
[[nodiscard]] Json json_of(const model::GroupView& view);
[[nodiscard]] Json json_of(const model::ShadowView& view);
[[nodiscard]] Json json_of(const model::IsolationReport& report);
[[nodiscard]] Json json_of(const model::CommandView& view);
[[nodiscard]] Json json_of(const model::EventView& view);
[[nodiscard]] Json json_of(const model::Verdict& verdict);
[[nodiscard]] Json json_of(const model::TrialStatus& status);
[[nodiscard]] Json json_of(const model::RolloutStatus& status);
[[nodiscard]] Json json_of(const model::ForecastView& view);
[[nodiscard]] Json json_of(const model::KpiWindow& window);

template <class T>
[[nodiscard]] Json json_of(const std::vector<T>& list) {
    Json array = Json::array();
    for (const T& item : list)
        array.push_back(json_of(item));
    return array;
}

}  // namespace penumbra::cli
