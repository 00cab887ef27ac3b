#include "agent/shadow_flow.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/also.hpp"
#include "agent/group_capture.hpp"
#include "agent/inventory_flow.hpp"
#include "base/limits/flows.hpp"
#include "base/limits/wire.hpp"

namespace penumbra::agent {

namespace {
using model::ArmState;
using Stage = ShadowRecord::Stage;

/// The slice arms run in, as libvirt names it.
constexpr std::string_view kPartition = "/penumbra";  // penumbra.slice says what they may take

/// As messages say it: "768 MiB".
std::string in_mebibytes(Bytes bytes) {
    return fmt::format("{} MiB", bytes.count() >> 20U);
}
}  // namespace

// ---- what stands

void ShadowFlow::start() {
    Result<ShadowBook::Contents> known = parts_.book.read_all();
    if (!known.has_value()) {
        all_known_ = false;
        troubles_.push_back(known.error().describe());
        return changed();
    }
    all_known_ = known->damaged.empty();
    for (const Error& damaged : known->damaged)
        troubles_.push_back(damaged.describe());
    for (ShadowRecord& record : known->records)
        records_.emplace(record.id(), std::move(record));
    for (auto& [id, record] : records_) {
        if (record.stage != Stage::kStanding) continue;
        const Result<void> taken = take_up(record);
        if (!taken.has_value()) troubles_.push_back(taken.error().describe());
    }
    std::vector<ShadowId> half;
    for (const auto& [id, record] : records_)
        if (record.stage != Stage::kStanding) half.push_back(id);
    for (const ShadowId& id : half) {
        const Result<void> gone = remove(id);
        if (!gone.has_value()) troubles_.push_back(gone.error().describe());
    }
    changed();
}

Result<void> ShadowFlow::take_up(ShadowRecord& record) {
    const std::vector<hypervisor::ShadowDomainFacts> domains = TRY(parts_.domains.list_shadows());
    for (model::ArmStatus& arm : record.status.arms) {
        const auto found = std::ranges::find(domains, arm.domain, &hypervisor::ShadowDomainFacts::name);
        const bool gone = arm.state == ArmState::kGone;
        if (found != domains.end() && found->running) {
            // The former life died while it ended this one: the next look at the room goes on with it.
            if (gone)
                ended_[record.id()] = {.why = arm.reason, .outcome = fail(ErrorCode::kCancelled, "not ended yet")};
            if (arm.state != ArmState::kSevered) TRY(parts_.guards.guard(TRY(record.plan(arm.arm))));
        } else if (!gone) {
            arm.state = ArmState::kGone;
            arm.reason = "its domain does not run any more: the host was restarted, or somebody stopped it";
        }
    }
    return keep(record);
}

Result<ShadowRecord*> ShadowFlow::find(const ShadowId& shadow) {
    const auto found = records_.find(shadow);
    if (found != records_.end() && found->second.stage == Stage::kStanding) return &found->second;
    return fail(ErrorCode::kNotFound, fmt::format("no shadow {} stands on this host", shadow.text()));
}

void ShadowFlow::changed() {
    std::vector<model::ShadowStatus> statuses;
    std::vector<effects::SandboxedArm> arms;
    const auto domains = parts_.domains.list_shadows();
    for (auto& [id, record] : records_) {
        statuses.push_back(record.status);
        if (record.stage != Stage::kStanding || !domains.has_value()) continue;
        for (const model::ArmStatus& arm : record.status.arms) {
            const auto domain = std::ranges::find(*domains, arm.domain, &hypervisor::ShadowDomainFacts::name);
            const auto plan = record.plan(arm.arm);
            if (domain == domains->end() || !domain->running || !plan.has_value()) continue;
            effects::SandboxedArm stands{
                .shadow = id, .arm = arm.arm, .site = {.domain = domain->vm.text(), .bridge = plan->bridge}};
            for (const netisolate::GuestPort& guest : plan->guests)
                stands.site.taps.push_back(guest.tap);
            arms.push_back(std::move(stands));
        }
    }
    if (statuses.size() > limits::kShadowsPerReportMax) statuses.resize(limits::kShadowsPerReportMax);
    parts_.arms_stand(std::move(arms));
    parts_.tell(Event(ShadowsObserved{statuses}));
    std::vector<std::string> troubles = troubles_;
    for (const auto& [id, ended] : ended_) {
        const std::string left =
            ended.outcome.has_value() ? "" : "; not all of it is gone: " + ended.outcome.error().describe();
        troubles.push_back(fmt::format("shadow {} was ended: {}{}", id.text(), ended.why, left));
    }
    if (!blind_.empty()) troubles.push_back(blind_);
    if (!domains.has_value()) troubles.push_back(domains.error().describe());
    for (const model::ShadowStatus& status : statuses) {
        for (const model::ArmStatus& arm : status.arms) {
            if (arm.state != ArmState::kSevered) continue;
            troubles.push_back(
                fmt::format("arm {} of shadow {} was cut off from every network: {}; `penumbra shadow "
                            "destroy {}` takes it away",
                            arm.arm.text(), status.spec.shadow.text(), arm.reason, status.spec.shadow.text()));
        }
    }
    parts_.tell(Troubles{.flow = "shadows", .sentences = std::move(troubles)});
}

void ShadowFlow::severed(const std::string& owner, const std::string& reason) {
    for (auto& [id, record] : records_) {
        for (model::ArmStatus& arm : record.status.arms) {
            const auto plan = record.plan(arm.arm);
            if (!plan.has_value() || plan->owner != owner || arm.state == ArmState::kGone) continue;
            arm.state = ArmState::kSevered;
            arm.reason = reason;
            if (const Result<void> kept = keep(record); !kept.has_value()) troubles_.push_back(kept.error().describe());
        }
    }
    changed();
}

// ---- making one

Result<netisolate::DatapathType> ShadowFlow::datapath_of(const model::VmFacts& vm) {
    // The datapath that works for production's bridge works here; a host may lack the kernel's.
    for (const netisolate::Bridge& bridge : TRY(parts_.control.bridges()))
        for (const model::NicFacts& nic : vm.nics)
            if (bridge.name == nic.network) return bridge.settings.datapath;
    return netisolate::DatapathType::kSystem;
}

Result<hypervisor::ShadowDomain> ShadowFlow::draft(const ShadowRecord& record, const ArmId& arm, const std::string& xml,
                                                   const ArmFiles& files) {
    const netisolate::IsolationPlan sandbox = TRY(record.plan(arm));
    hypervisor::ShadowPlace place{.shadow = record.id(),
                                  .arm = arm,
                                  .scale = record.status.spec.scale,
                                  .disks = files.disks,
                                  .copies = files.copies,
                                  .partition = std::string(kPartition)};
    for (const netisolate::GuestPort& guest : sandbox.guests)
        place.taps.emplace(guest.mac.text(), guest.tap);
    return parts_.drafting.domain(xml, place);
}

Result<void> ShadowFlow::size_arms(ShadowRecord& record, const model::VmFacts& vm, const std::string& xml) {
    // Drafted over files that are not there yet: what the arms need is known before anything is made.
    ArmFiles files{.copies = TRY(parts_.drafting.boot_files(xml))};
    for (const model::DiskFacts& disk : vm.disks)
        files.disks.emplace(disk.target, "/nonexistent");
    for (const ArmId& arm : record.status.spec.arms) {
        const hypervisor::ShadowDomain domain = TRY(draft(record, arm, xml, files));
        record.status.arms.push_back({.arm = arm,
                                      .state = ArmState::kBuilding,
                                      .domain = domain.name,
                                      .bridge = TRY(record.plan(arm)).bridge,
                                      .vcpus = domain.vcpus,
                                      .memory = domain.memory});
        record.status.fidelity_gaps = domain.gaps;
    }
    if (auto others = about_other_cards(vm)) record.status.fidelity_gaps.push_back(std::move(*others));
    return {};
}

Result<ShadowFlow::ArmsMemory> ShadowFlow::arms_memory() {
    const std::vector<hypervisor::VmCounters> counters = TRY(parts_.inventory.counters());
    ArmsMemory memory;
    for (const auto& [id, record] : records_) {
        for (const model::ArmStatus& arm : record.status.arms) {
            if (arm.state == ArmState::kGone) continue;
            const Bytes most = arm.memory + limits::kArmMemoryOverhead;
            const auto vm = std::ranges::find(counters, arm.domain, &hypervisor::VmCounters::name);
            const Bytes touched = vm == counters.end() ? Bytes() : std::min(vm->memory_resident, most);
            memory.all += most;
            memory.untouched += most - touched;
        }
    }
    return memory;
}

Result<void> ShadowFlow::check_headroom(const ShadowRecord& record) {
    const model::HostFacts host = TRY(parts_.inventory.describe_host());
    const ArmsMemory here = TRY(arms_memory());
    Bytes wanted;
    for (const model::ArmStatus& arm : record.status.arms) {
        wanted += arm.memory + limits::kArmMemoryOverhead;
        if (arm.vcpus > host.cpus) {
            return fail(ErrorCode::kResourceExhausted,
                        fmt::format("arm {} needs {} vCPUs and this host has {} CPUs: use a smaller --scale",
                                    arm.arm.text(), arm.vcpus, host.cpus));
        }
    }
    const Bytes needed = wanted + here.untouched + limits::kHostMemoryReserve;
    if (needed > host.memory_available) {
        return fail(
            ErrorCode::kResourceExhausted,
            fmt::format("shadow {} needs {} of memory, {} of it left for the host and {} for what the arms here "
                        "have not touched yet, and {} are available: use a smaller --scale or fewer arms",
                        record.id().text(), in_mebibytes(needed), in_mebibytes(limits::kHostMemoryReserve),
                        in_mebibytes(here.untouched), in_mebibytes(host.memory_available)));
    }
    const Bytes most(host.memory.count() / limits::kArmsMemoryDivisor);
    if (wanted + here.all <= most) return {};
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("with shadow {} all arms here would have {} of memory, and {}, half of the host's, are "
                            "theirs: use a smaller --scale, or destroy another shadow",
                            record.id().text(), in_mebibytes(wanted + here.all), in_mebibytes(most)));
}

Result<ShadowRecord> ShadowFlow::plan(const model::Command& command, const model::ShadowSpec& spec,
                                      const model::VmFacts& vm, const std::string& xml) {
    if (!vm.cloneable) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("VM {} cannot be cloned: {}", vm.name, fmt::join(vm.reasons, "; ")));
    }
    ShadowRecord record{.command = command.id, .status = {.spec = spec}, .source = vm.vm};
    record.status.generation = TRY(parts_.storage.newest(vm.vm));
    for (const model::NicFacts& nic : vm.nics)
        record.cards.push_back({.mac = TRY(packet::MacAddress::parse(nic.mac))});
    record.gateways = address_of(parts_.addresses, vm).gateways;
    record.datapath = TRY(datapath_of(vm));
    TRY(size_arms(record, vm, xml));
    TRY(check_headroom(record));
    TRY(admit_arms(record.id(), record.status.arms.size(), TRY(parts_.storage.room())));
    return record;
}

Result<void> ShadowFlow::create(const model::Command& command, const model::ShadowSpec& spec) {
    if (records_.contains(spec.shadow)) {
        return fail(ErrorCode::kAlreadyExists,
                    fmt::format("shadow {} is on this host already: destroy it first", spec.shadow.text()));
    }
    using hypervisor::Layer;
    const model::VmFacts vm = TRY(find_vm(TRY(parts_.inventory.list_vms()), spec.group.text()));
    const std::string xml = TRY(parts_.inventory.domain_xml(vm.vm, vm.running ? Layer::kLive : Layer::kPersistent));
    const hypervisor::BootFiles boot = TRY(parts_.drafting.boot_files(xml));
    ShadowRecord planned = TRY(plan(command, spec, vm, xml));
    TRY(keep(planned));
    ShadowRecord& record = records_.emplace(spec.shadow, std::move(planned)).first->second;
    booting_[spec.shadow] = {.command = command, .give_up = parts_.clock.now() + limits::kArmBootMax};
    changed();
    for (model::ArmStatus& arm : record.status.arms) {
        const std::string owner = TRY(record.plan(arm.arm)).owner;
        const ArmFiles files = TRY(parts_.storage.make(vm.vm, record.status.generation, owner, boot));
        TRY(parts_.builder.build(record, arm.arm, TRY(draft(record, arm.arm, xml, files)).xml));
        arm.state = ArmState::kBooting;
        arm.reason = "it boots";
    }
    TRY(keep(record));
    changed();
    parts_.tell(Event(WorkerReported{progressed(command, 0.5, "the arms boot")}));
    return {};
}

void ShadowFlow::execute(const model::Command& command) {
    if (const auto* order = std::get_if<model::CreateShadow>(&command.operation)) {
        Result<void> made = create(command, order->shadow);
        if (made.has_value()) return;  // tick() reports its end
        if (booting_.contains(order->shadow.shadow)) return give_up(order->shadow.shadow, std::move(made).error());
        return parts_.tell(Event(WorkerReported{failed(command, made.error(), parts_.clock.wall())}));
    }
    if (const auto* order = std::get_if<model::DestroyShadow>(&command.operation)) {
        const Result<void> gone = remove(order->shadow);
        changed();
        return parts_.tell(Event(WorkerReported{ended(command, gone, parts_.clock.wall())}));
    }
    const Error unknown{.code = ErrorCode::kUnsupported, .message = "this is nothing the shadow flow does"};
    parts_.tell(Event(WorkerReported{failed(command, unknown, parts_.clock.wall())}));
}

void ShadowFlow::recover(const model::Command& command) {
    const auto* order = std::get_if<model::CreateShadow>(&command.operation);
    if (order == nullptr) return execute(command);  // taking away twice takes away once
    const auto known = records_.find(order->shadow.shadow);
    if (known != records_.end() && known->second.command == command.id && known->second.stage == Stage::kStanding) {
        return parts_.tell(Event(WorkerReported{succeeded(command, known->second.status, parts_.clock.wall())}));
    }
    const Error error{.code = ErrorCode::kCancelled,
                      .message = fmt::format("the agent restarted while shadow {} was made; what there was of it was "
                                             "taken away: create it again",
                                             order->shadow.shadow.text())};
    parts_.tell(Event(WorkerReported{failed(command, error, parts_.clock.wall())}));
}

// ---- booting

Result<bool> ShadowFlow::serves(const ShadowRecord& record, const model::ArmStatus& arm) {
    if (!TRY(parts_.domains.agent_answers(arm.domain))) return false;
    const netisolate::IsolationPlan plan = TRY(record.plan(arm.arm));
    const model::VmFacts vm = TRY(find_vm(TRY(parts_.inventory.list_vms()), record.source.text()));
    for (const std::string& server : address_of(parts_.addresses, vm).servers)
        if (!TRY(parts_.answers(plan.space, server))) return false;
    return true;
}

Result<bool> ShadowFlow::boot_on(ShadowRecord& record) {
    bool all = true;
    for (model::ArmStatus& arm : record.status.arms) {
        if (arm.state == ArmState::kSevered) {
            return fail(ErrorCode::kConflict,
                        fmt::format("arm {} was cut off while it booted: {}", arm.arm.text(), arm.reason));
        }
        if (arm.state == ArmState::kBooting && TRY(serves(record, arm))) {
            arm.state = ArmState::kServing;
            arm.reason.clear();
        }
        all = all && arm.state == ArmState::kServing;
    }
    return all;
}

void ShadowFlow::tick() {
    watch_room();
    std::vector<std::pair<ShadowId, Error>> hopeless;
    std::vector<ShadowId> ready;
    for (const auto& [id, booting] : booting_) {
        ShadowRecord& record = records_.at(id);
        const Result<bool> all = boot_on(record);
        if (all.has_value() && *all) {
            ready.push_back(id);
        } else if (!all.has_value() && all.error().code != ErrorCode::kUnavailable) {
            hopeless.emplace_back(id, all.error());
        } else if (parts_.clock.now() >= booting.give_up) {
            hopeless.emplace_back(
                id, all.has_value()
                        ? Error{.code = ErrorCode::kDeadlineExceeded,
                                .message = fmt::format("an arm of shadow {} did not serve within {} s", id.text(),
                                                       std::chrono::seconds(limits::kArmBootMax).count())}
                        : all.error());
        }
    }
    for (auto& [id, why] : hopeless)
        give_up(id, std::move(why));
    for (const ShadowId& id : ready) {
        ShadowRecord& record = records_.at(id);
        record.stage = Stage::kStanding;
        if (Result<void> kept = keep(record); !kept.has_value()) {
            give_up(id, std::move(kept).error());
            continue;
        }
        changed();
        const auto booted = booting_.extract(id);
        parts_.tell(Event(WorkerReported{succeeded(booted.mapped().command, record.status, parts_.clock.wall())}));
    }
}

void ShadowFlow::give_up(const ShadowId& shadow, Error why) {
    const auto booting = booting_.extract(shadow);
    Result<void> outcome = tl::unexpected(std::move(why));
    follow_by(outcome, remove(shadow));
    changed();
    parts_.tell(Event(WorkerReported{ended(booting.mapped().command, outcome, parts_.clock.wall())}));
}

// ---- production's disk

Result<hypervisor::StoodOn> ShadowFlow::stood_on(const VmId& vm, std::uint64_t newest) const {
    if (!all_known_)
        return fail(
            ErrorCode::kDataLoss,
            "records of shadows are damaged, and arms nobody knows may stand on any generation: `penumbra host clean` "
            "takes them away");
    hypervisor::StoodOn stood_on{.generations = {}, .newest = newest};
    for (const auto& [id, record] : records_)
        if (record.source == vm) stood_on.generations.insert(record.status.generation);
    return stood_on;
}

Result<std::vector<ShadowTake>> ShadowFlow::takes() {
    std::vector<ShadowTake> all;
    for (const auto& [id, record] : records_) {
        ShadowTake take{.shadow = id, .taken = {}};
        bool gone = true;
        for (const model::ArmStatus& arm : record.status.arms) {
            take.taken += TRY(parts_.storage.taken(TRY(record.plan(arm.arm)).owner));
            gone = gone && arm.state == ArmState::kGone;
        }
        if (!gone || take.taken > Bytes()) all.push_back(std::move(take));
    }
    return all;
}

Result<void> ShadowFlow::look_at_room() {
    std::map<ShadowId, std::string> ending;
    for (const auto& [id, ended] : ended_)
        if (!ended.outcome.has_value()) ending.emplace(id, ended.why);
    const DiskRoom room = TRY(parts_.storage.room());
    for (const ShadowId& id : shadows_to_end(room, TRY(takes())))
        ending.emplace(id, to_string(room) + ": make room there, then destroy this shadow and create it again");
    for (const auto& [id, why] : ending)
        end_for_room(id, why);
    return {};
}

void ShadowFlow::watch_room() {
    const std::string before = std::exchange(blind_, {});
    if (records_.empty() && before.empty()) return;
    if (const Result<void> looked = look_at_room(); !looked.has_value()) {
        blind_ = fmt::format("whether arms leave production its room on the disk is not known: {}",
                             looked.error().describe());
    }
    if (blind_ != before) changed();
}

void ShadowFlow::end_for_room(const ShadowId& shadow, const std::string& why) {
    if (booting_.contains(shadow)) return give_up(shadow, {.code = ErrorCode::kResourceExhausted, .message = why});
    ShadowRecord& record = records_.at(shadow);
    for (model::ArmStatus& arm : record.status.arms) {
        if (arm.state == ArmState::kGone) continue;
        arm.reason = arm.state == ArmState::kSevered ? fmt::format("{} (cut off before: {})", why, arm.reason) : why;
        arm.state = ArmState::kGone;
    }
    // Written down first: a next life that finds a gone arm running goes on with this.
    Result<void> all = keep(record);
    // What writes ends before the rest is put away: a replay may take its time to end.
    for (const model::ArmStatus& arm : record.status.arms)
        also(all, parts_.domains.remove(arm.domain));
    also(all, parts_.end_replay(record));
    also(all, parts_.builder.remove_all(record));
    ended_[shadow] = {.why = why, .outcome = std::move(all)};
    changed();
}

// ---- taking it away

Result<void> ShadowFlow::remove(const ShadowId& shadow) {
    const auto known = records_.find(shadow);
    if (known == records_.end()) return {};
    ShadowRecord& record = known->second;
    record.stage = Stage::kRemoving;
    TRY(keep(record));
    Result<void> all = parts_.end_replay(record);
    also(all, parts_.builder.remove_all(record));
    if (!all.has_value()) {
        return fail_in(fmt::format("taking shadow {} away (destroy it again to go on)", shadow.text()),
                       std::move(all).error());
    }
    TRY(parts_.book.forget(shadow));
    // Somebody may wait for it to boot: it never will.
    if (const auto booting = booting_.extract(shadow); !booting.empty()) {
        const Error why{.code = ErrorCode::kCancelled, .message = "the shadow was destroyed while it booted"};
        parts_.tell(Event(WorkerReported{failed(booting.mapped().command, why, parts_.clock.wall())}));
    }
    ended_.erase(shadow);
    const VmId source = record.source;
    records_.erase(known);
    parts_.let_go(source);
    return {};
}

Result<void> ShadowFlow::remove_everything() {
    Result<void> all;
    std::vector<ShadowId> ids;
    for (const auto& [id, record] : records_)
        ids.push_back(id);
    for (const ShadowId& id : ids)
        also(all, remove(id));
    std::vector<ShadowRecord> left;
    for (const auto& [id, record] : records_)
        left.push_back(record);
    also(all, parts_.builder.remove_strays(left));
    all_known_ = all_known_ || all.has_value();
    changed();
    return all;
}

}  // namespace penumbra::agent
