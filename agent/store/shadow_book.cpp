#include "agent/store/shadow_book.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "agent/store/sealed_record.hpp"
#include "base/limits/flows.hpp"
#include "proto/codec/codec.hpp"

namespace penumbra::agent {

namespace {

using journal::LineRecord;
using Stage = ShadowRecord::Stage;

constexpr std::string_view kTitle = "penumbra-shadow";
constexpr std::string_view kSuffix = ".shadow";
constexpr std::array<std::pair<Stage, std::string_view>, 3> kStages{
    {{Stage::kBuilding, "building"}, {Stage::kStanding, "standing"}, {Stage::kRemoving, "removing"}}};

std::string file_of(const ShadowId& shadow) {
    return shadow.text() + std::string(kSuffix);
}

std::string_view word_of(Stage stage) {
    return std::ranges::find(kStages, stage, &std::pair<Stage, std::string_view>::first)->second;
}

Result<Stage> read_stage(std::string_view word) {
    const auto found = std::ranges::find(kStages, word, &std::pair<Stage, std::string_view>::second);
    if (found != kStages.end()) return found->first;
    return fail(ErrorCode::kDataLoss, fmt::format("'{}' is no stage of a shadow", word));
}

Result<double> read_real(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return fail(ErrorCode::kDataLoss, fmt::format("'{}' is not a number", text));
    return value;
}

Result<ShadowRecord> decode(std::string_view text) {
    LineRecord lines = TRY(unsealed(text, kTitle));
    ShadowRecord record;
    record.stage = TRY(read_stage(TRY(lines.take("stage"))));
    record.command = CommandId(TRY(lines.take("command")));
    record.status = TRY(codec::unpack<model::ShadowStatus>(TRY(lines.take("status"))));
    record.source = VmId(TRY(lines.take("source")));
    for (const std::string& mac : lines.take_repeated("card"))
        record.cards.push_back({.mac = TRY(packet::MacAddress::parse(mac))});
    record.gateways = lines.take_repeated("gateway");
    const std::string datapath = TRY(lines.take("datapath"));
    record.datapath = datapath == "netdev" ? netisolate::DatapathType::kNetdev : netisolate::DatapathType::kSystem;
    const std::vector<std::string> key = lines.take_repeated("replay.key");
    if (key.empty()) return record;
    record.replay = ReplayOrder{.share = TRY(read_real(TRY(lines.take("replay.share")))), .key = key.front()};
    for (const auto& [arm, multiple] : lines.take_all("replay.arm."))
        record.replay->multiples.emplace(arm, TRY(read_real(multiple)));
    return record;
}

Result<std::string> encode(const ShadowRecord& record) {
    LineRecord lines;
    lines.add(kTitle, kRecordFormat);
    lines.add("stage", word_of(record.stage));
    lines.add("command", record.command.text());
    lines.add("status", TRY(codec::pack(record.status)));
    lines.add("source", record.source.text());
    for (const netisolate::GuestCard& card : record.cards)
        lines.add("card", card.mac.text());
    for (const std::string& gateway : record.gateways)
        lines.add("gateway", gateway);
    lines.add("datapath", record.datapath == netisolate::DatapathType::kNetdev ? "netdev" : "system");
    if (record.replay.has_value()) {
        lines.add("replay.key", record.replay->key);
        lines.add("replay.share", fmt::to_string(record.replay->share));
        for (const auto& [arm, multiple] : record.replay->multiples)
            lines.add("replay.arm." + arm.text(), fmt::to_string(multiple));
    }
    return sealed(lines);
}

}  // namespace

Result<netisolate::IsolationPlan> ShadowRecord::plan(const ArmId& arm) const {
    return netisolate::plan_isolation(
        {.shadow = id(), .arm = arm, .datapath = datapath, .cards = cards, .trap_addresses = gateways});
}

model::ArmStatus* ShadowRecord::arm(const ArmId& arm) {
    const auto found = std::ranges::find(status.arms, arm, &model::ArmStatus::arm);
    return found == status.arms.end() ? nullptr : &*found;
}

std::string ShadowRecord::domain(const ArmId& arm) const {
    const auto found = std::ranges::find(status.arms, arm, &model::ArmStatus::arm);
    return found == status.arms.end() ? std::string() : found->domain;
}

Result<ShadowBook::Contents> ShadowBook::read_all() {
    Contents contents;
    for (const std::string& name : TRY(directory_.list())) {
        if (name.ends_with(journal::kNewSuffix)) TRY(directory_.remove(name));
        if (!name.ends_with(kSuffix)) continue;
        Result<ShadowRecord> record = decode(TRY(directory_.read(name, limits::kShadowFileBytesMax)));
        if (record.has_value() && file_of(record->id()) == name) {
            contents.records.push_back(std::move(*record));
        } else {
            const Error why = record.has_value() ? Error{.message = "it is another shadow's"} : record.error();
            contents.damaged.push_back(
                {.code = ErrorCode::kDataLoss,
                 .message =
                     fmt::format("the record {} of a shadow cannot be read ({}): `penumbra host clean` takes away "
                                 "what it stands for; then remove the file",
                                 name, why.message)});
        }
    }
    return contents;
}

Result<void> ShadowBook::put(const ShadowRecord& record) {
    return replace_file(directory_, file_of(TRY(ShadowId::parse(record.id().text()))), TRY(encode(record)));
}

Result<void> ShadowBook::forget(const ShadowId& shadow) {
    TRY(directory_.remove(file_of(TRY(ShadowId::parse(shadow.text())))));
    return directory_.sync_names();
}

}  // namespace penumbra::agent
