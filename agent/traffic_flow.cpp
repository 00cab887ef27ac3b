#include "agent/traffic_flow.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "agent/also.hpp"
#include "agent/inventory_flow.hpp"
#include "base/durable_file.hpp"
#include "base/limits/flows.hpp"
#include "netisolate/mirror_plan.hpp"

namespace penumbra::agent {

namespace {

std::string capture_unit(const GroupId& group) {
    return fmt::format("penumbra-capture@{}.service", group.text());
}
std::string instance_of(const ShadowId& shadow, const ArmId& arm) {
    return fmt::format("{}:{}", shadow.text(), arm.text());
}
std::string sandbox_unit(const ShadowId& shadow, const ArmId& arm) {
    return fmt::format("penumbra-sandbox@{}.service", instance_of(shadow, arm));
}

model::Vantage vantage_of(const ShadowRecord& record, const ArmId& arm) {
    return {.group = record.status.spec.group, .shadow = record.id(), .arm = arm};
}
model::Vantage production_of(const ShadowRecord& record) {
    return {.group = record.status.spec.group};
}

/// `ARGUMENTS=...` for the unit's EnvironmentFile: names and paths only, so nothing needs quoting.
Result<void> tell_unit(const std::filesystem::path& file, const std::vector<std::string>& words) {
    std::error_code made;
    std::filesystem::create_directories(file.parent_path(), made);
    if (made) return fail_errno(made.value(), fmt::format("making {}", file.parent_path().native()));
    for (const std::string& word : words) {
        if (word.find_first_of(" \t\n\"'\\$") != std::string::npos)
            return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' cannot be told to a service", word));
    }
    return write_file_durably(file, fmt::format("ARGUMENTS={}\n", fmt::join(words, " ")), 0644);
}

std::vector<std::string> with_servers(std::vector<std::string> words, const ServiceAddress& address) {
    for (const std::string& server : address.servers)
        words.insert(words.end(), {"--server", server});
    return words;
}

}  // namespace

std::filesystem::path TrafficFlow::capture_folder(const GroupId& group) const {
    return parts_.run_folder / "capture" / group.text();
}

std::filesystem::path TrafficFlow::sandbox_folder(const ShadowId& shadow, const ArmId& arm) const {
    return parts_.run_folder / "sandbox" / instance_of(shadow, arm);
}

// ---- bringing up

Result<TrafficFlow::Feed> TrafficFlow::feed_of(const ShadowRecord& record) {
    Feed feed{.vm = TRY(find_vm(TRY(parts_.inventory.list_vms()), record.source.text()))};
    feed.address = address_of(parts_.addresses, feed.vm);
    if (feed.address.servers.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("this host does not know what VM {} serves: name its address and port in "
                                "/etc/penumbra/services.toml",
                                feed.vm.name));
    }
    if (!feed.vm.running || feed.vm.nics.empty()) {
        return fail(
            ErrorCode::kUnavailable,
            fmt::format("VM {} does not run, or has no network card: there is no traffic to copy", feed.vm.name));
    }
    return feed;
}

Result<void> TrafficFlow::mirror(const ShadowRecord& record, Feed& feed) {
    const GroupId& group = record.status.spec.group;
    const model::NicFacts& nic = feed.vm.nics.front();
    netisolate::MirrorSpec spec{
        // A name of its own every time: the journal knows what became of the former ones.
        .owner = fmt::format("mirror:{}:{}", group.text(), parts_.clock.wall().time_since_epoch().count()),
        .bridge = nic.network,
        .mirrored = {nic.target},
        .datapath = record.datapath};
    const netisolate::MirrorPlan plan = TRY(netisolate::plan_mirror(spec));
    const model::EffectSpec hold{.id = TRY(EffectId::parse(spec.owner)),
                                 .target = {.vm = feed.vm.vm},
                                 .lease = limits::kMirrorLease,
                                 .action = model::MirrorHold{.bridge = nic.network, .mirrored_port = nic.target}};
    mirrors_[group] = {.hold = hold.id, .prolong_at = parts_.clock.now() + limits::kMirrorLease / 3};
    TRY(parts_.holds.place(hold));
    feed.interface = plan.capture;
    feed.space = parts_.space_folder / plan.space;
    return {};
}

Result<void> TrafficFlow::start_capture(const ShadowRecord& record, const Feed& feed) {
    const GroupId& group = record.status.spec.group;
    const std::filesystem::path folder = capture_folder(group);
    std::vector<std::string> words = with_servers(
        {"--group", group.text(), "--interface", feed.interface, "--netns", feed.space.native(), "--key",
         record.replay->key, "--share", fmt::to_string(record.replay->share), "--report", (folder / "report").native()},
        feed.address);
    for (const auto& [arm, multiple] : record.replay->multiples)
        words.insert(words.end(), {"--arm", fmt::format("{}={}", arm.text(), (folder / arm.text()).native())});
    TRY(tell_unit(folder.native() + ".env", words));
    TRY(parts_.units.start(capture_unit(group)));
    return parts_.readers.attach(
        {.vantage = production_of(record), .domain = feed.vm.name, .socket = folder / "report"});
}

Result<void> TrafficFlow::start_sandbox(const ShadowRecord& record, const ArmId& arm, const Feed& feed) {
    const netisolate::IsolationPlan plan = TRY(record.plan(arm));
    const std::filesystem::path folder = sandbox_folder(record.id(), arm);
    const std::filesystem::path feed_socket = capture_folder(record.status.spec.group) / arm.text();
    const std::vector<std::string> words =
        with_servers({"--group", record.status.spec.group.text(), "--shadow", record.id().text(), "--arm", arm.text(),
                      "--interface", plan.trap, "--netns", (parts_.space_folder / plan.space).native(), "--key",
                      record.replay->key, "--capture", feed_socket.native(), "--report", (folder / "report").native(),
                      "--multiple", fmt::to_string(record.replay->multiples.at(arm))},
                     feed.address);
    TRY(tell_unit(folder.native() + ".env", words));
    TRY(parts_.units.start(sandbox_unit(record.id(), arm)));
    return parts_.readers.attach(
        {.vantage = vantage_of(record, arm), .domain = record.domain(arm), .socket = folder / "report"});
}

Result<void> TrafficFlow::bring_up(const ShadowRecord& record) {
    Feed feed = TRY(feed_of(record));
    TRY(mirror(record, feed));
    TRY(start_capture(record, feed));
    for (const auto& [arm, multiple] : record.replay->multiples)
        TRY(start_sandbox(record, arm, feed));
    return {};
}

Result<void> TrafficFlow::bring_down(const ShadowRecord& record) {
    const GroupId& group = record.status.spec.group;
    Result<void> all;
    // The readers stay until the processes have ended: their last windows are waited for.
    for (const ArmId& arm : record.status.spec.arms) {
        also(all, parts_.units.stop(sandbox_unit(record.id(), arm)));
        also(all, parts_.readers.detach(vantage_of(record, arm)));
        also(all, remove_file_durably(sandbox_folder(record.id(), arm).native() + ".env"));
    }
    also(all, parts_.units.stop(capture_unit(group)));
    also(all, parts_.readers.detach(production_of(record)));
    also(all, remove_file_durably(capture_folder(group).native() + ".env"));
    if (const auto mirror = mirrors_.find(group); mirror != mirrors_.end()) {
        Result<void> lifted = parts_.holds.lift(mirror->second.hold, "the replay ended");
        if (lifted.has_value()) mirrors_.erase(mirror);
        also(all, std::move(lifted));
    }
    return all;
}

// ---- orders

Result<void> TrafficFlow::change_rates(const ShadowRecord& record) {
    TRY(parts_.readers.set_rate(production_of(record), record.replay->share));
    for (const auto& [arm, multiple] : record.replay->multiples)
        TRY(parts_.readers.set_rate(vantage_of(record, arm), multiple));
    return {};
}

Result<void> TrafficFlow::begin(const model::StartReplay& order) {
    ShadowRecord& record = *TRY(parts_.shadows.find(order.shadow));
    for (const auto& [id, other] : parts_.shadows.records()) {
        if (id == order.shadow || !other.replay.has_value() || other.status.spec.group != record.status.spec.group)
            continue;
        return fail(ErrorCode::kConflict,
                    fmt::format("the traffic of group {} is replayed to shadow {}: stop that first",
                                record.status.spec.group.text(), id.text()));
    }
    ReplayOrder wanted = record.replay.value_or(ReplayOrder{});
    if (!record.replay.has_value()) wanted.key = TRY(parts_.new_key());
    wanted.share = order.share;
    for (const ArmId& arm : order.arms.empty() ? record.status.spec.arms : order.arms) {
        const model::ArmStatus* status = record.arm(arm);
        if (status == nullptr || status->state != model::ArmState::kServing) {
            return fail(ErrorCode::kUnavailable,
                        fmt::format("arm {} of shadow {} does not serve{}", arm.text(), record.id().text(),
                                    status == nullptr || status->reason.empty() ? "" : ": " + status->reason));
        }
        wanted.multiples[arm] = order.rate_multiple;
    }
    const bool runs = record.replay.has_value();
    const bool same_arms =
        runs && std::ranges::equal(record.replay->multiples, wanted.multiples, {},
                                   &std::pair<const ArmId, double>::first, &std::pair<const ArmId, double>::first);
    if (runs && !same_arms) TRY(end(record));
    record.replay = wanted;
    TRY(parts_.shadows.keep(record));
    return same_arms ? change_rates(record) : bring_up(record);
}

Result<void> TrafficFlow::end(ShadowRecord& record) {
    if (!record.replay.has_value()) return {};
    TRY(bring_down(record));
    record.replay.reset();
    return parts_.shadows.keep(record);
}

void TrafficFlow::execute(const model::Command& command) {
    Result<void> outcome = fail(ErrorCode::kUnsupported, "this is nothing the traffic flow does");
    if (const auto* order = std::get_if<model::StartReplay>(&command.operation)) {
        outcome = begin(*order);
        const auto record = parts_.shadows.find(order->shadow);
        if (!outcome.has_value() && outcome.error().code != ErrorCode::kConflict && record.has_value())
            follow_by(outcome, end(**record));
    }
    if (const auto* order = std::get_if<model::StopReplay>(&command.operation)) {
        const auto record = parts_.shadows.find(order->shadow);
        outcome = record.has_value() ? end(**record) : Result<void>();
    }
    parts_.tell(Event(WorkerReported{ended(command, outcome, parts_.clock.wall())}));
}

// ---- time

void TrafficFlow::start() {
    for (auto& [id, record] : parts_.shadows.records()) {
        if (!record.replay.has_value() || record.stage != ShadowRecord::Stage::kStanding) continue;
        // The former life's mirror was undone at the start: the processes begin anew on a new one.
        Result<void> again = bring_down(record);
        if (again.has_value()) again = bring_up(record);
        if (again.has_value()) continue;
        follow_by(again, end(record));
        start_troubles_.push_back(fmt::format("the replay to shadow {} could not be taken up again: {}", id.text(),
                                              again.error().describe()));
    }
}

void TrafficFlow::look_at(const ShadowRecord& record, std::vector<std::string>& troubles) {
    std::vector<std::string> units{capture_unit(record.status.spec.group)};
    for (const auto& [arm, multiple] : record.replay->multiples)
        units.push_back(sandbox_unit(record.id(), arm));
    for (const std::string& unit : units) {
        const Result<systemd::UnitState> state = parts_.units.state(unit);
        if (!state.has_value()) {
            troubles.push_back(state.error().describe());
        } else if (*state == systemd::UnitState::kFailed || *state == systemd::UnitState::kInactive) {
            troubles.push_back(
                fmt::format("{} has ended, so shadow {} gets no traffic: see `journalctl -u {}`, then stop "
                            "and start the replay",
                            unit, record.id().text(), unit));
        }
    }
}

void TrafficFlow::tick() {
    std::vector<std::string> troubles = start_troubles_;
    for (auto& [group, mirror] : mirrors_) {
        if (parts_.clock.now() < mirror.prolong_at) continue;
        const Result<void> prolonged = parts_.holds.prolong(mirror.hold, limits::kMirrorLease);
        if (prolonged.has_value()) {
            mirror.prolong_at = parts_.clock.now() + limits::kMirrorLease / 3;
        } else {
            troubles.push_back(
                fmt::format("the mirror of group {} will end: {}", group.text(), prolonged.error().describe()));
        }
    }
    for (const auto& [id, record] : parts_.shadows.records())
        if (record.replay.has_value()) look_at(record, troubles);
    parts_.tell(Troubles{.flow = "traffic", .sentences = std::move(troubles)});
}

}  // namespace penumbra::agent
