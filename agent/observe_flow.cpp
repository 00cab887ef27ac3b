#include "agent/observe_flow.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "agent/also.hpp"
#include "agent/core/ceiling.hpp"
#include "agent/inventory_flow.hpp"
#include "base/limits/flows.hpp"

namespace penumbra::agent {

namespace {
constexpr Backoff kRetry{.base = limits::kObserveRetryBase, .cap = limits::kObserveRetryMax};
}  // namespace

ObserveFlow::Group& ObserveFlow::group_of(const GroupId& id) {
    return groups_.try_emplace(id, Group{.capture = GroupCapture(id, parts_.capture)}).first->second;
}

Result<void> ObserveFlow::drop(const GroupId& id, const std::string& why) {
    TRY(groups_.at(id).capture.stop(why));
    groups_.erase(id);
    return {};
}

// ---- what is wanted

void ObserveFlow::set_policy(const model::Policy& policy) {
    policy_ = policy;
    wake();
}

void ObserveFlow::saw(std::vector<model::VmFacts> vms) {
    vms_ = std::move(vms);
    follow_at_ = {};
}

void ObserveFlow::wake() {
    rests_ = false;
    follow_at_ = {};
}

Result<void> ObserveFlow::rest() {
    rests_ = true;
    Result<void> all;
    std::vector<GroupId> observed;
    for (const auto& [id, group] : groups_)
        if (!group.replayed) observed.push_back(id);
    for (const GroupId& id : observed)
        also(all, drop(id, "nothing is observed any more"));
    return all;
}

std::map<GroupId, const model::VmFacts*> ObserveFlow::wanted() const {
    std::map<GroupId, const model::VmFacts*> all;
    if (rests_ || policy_.ceiling < model::Ceiling::kReplicate) return all;
    for (const model::VmFacts& vm : vms_) {
        const bool serves = vm.running && !vm.nics.empty() && !address_of(parts_.addresses, vm).servers.empty();
        // A name that is none of ours cannot be that of a unit either; `vm list` says so of it.
        const Result<GroupId> id = GroupId::parse(vm.name);
        if (serves && id.has_value() && takes_part(policy_, vm)) all.emplace(*id, &vm);
    }
    return all;
}

bool ObserveFlow::is_replayed(const VmId& vm) const {
    return std::ranges::any_of(groups_, [&](const auto& item) { return item.second.replayed && item.second.vm == vm; });
}

// ---- time

void ObserveFlow::start() {
    // The first tick ends them, or has them begin anew: until then what they kept is read.
    std::error_code error;
    const std::filesystem::path folder = parts_.capture.run_folder / "capture";
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().extension() != ".env") continue;
        const Result<GroupId> id = GroupId::parse(entry->path().stem().native());
        if (!id.has_value()) continue;
        Group& group = group_of(*id);
        if (const Result<void> heard = group.capture.hear_out(); !heard.has_value()) failed(*id, group, heard.error());
    }
}

void ObserveFlow::mirror_severed(const std::string& owner, const std::string& reason) {
    for (auto& [id, group] : groups_)
        group.capture.cut_off(owner, reason);
}

void ObserveFlow::tick() {
    keep_mirrors();
    if (parts_.capture.clock.now() >= follow_at_) {
        follow_at_ = parts_.capture.clock.now() + limits::kObserveInterval;
        follow();
    }
    Troubles troubles{.flow = "observe"};
    for (const auto& [id, group] : groups_)
        if (!group.trouble.empty()) troubles.sentences.push_back(group.trouble);
    parts_.tell(std::move(troubles));
}

void ObserveFlow::keep_mirrors() {
    for (auto& [id, group] : groups_) {
        if (!group.replayed && !group.measures) continue;  // to be taken away: follow() tries that, not every second
        const Result<void> kept = group.capture.keep_mirror();
        if (group.replayed) {
            group.trouble = kept.has_value() ? ""
                                             : fmt::format("the mirror of group {} will end: {}", id.text(),
                                                           kept.error().describe());
        } else if (!kept.has_value()) {
            failed(id, group, kept.error());
        }
    }
}

void ObserveFlow::follow() {
    auto all = wanted();
    std::erase_if(all, [&](const auto& item) { return is_replayed(item.second->vm); });
    std::vector<GroupId> unwanted;
    for (const auto& [id, group] : groups_)
        if (!group.replayed && !all.contains(id)) unwanted.push_back(id);
    for (const GroupId& id : unwanted) {
        Group& group = groups_.at(id);
        if (parts_.capture.clock.now() < group.retry_at) continue;
        const Result<void> gone = drop(id, "its VM is not to be observed now");
        if (!gone.has_value()) failed(id, group, gone.error());
    }
    for (const auto& [id, vm] : all) {
        Group& group = group_of(id);
        if (parts_.capture.clock.now() < group.retry_at) continue;
        const Result<void> measured = observe(group, *vm);
        if (!measured.has_value()) failed(id, group, measured.error());
    }
}

/// The second look that finds it running says that it works: one that ends at once is not tried without end.
Result<void> ObserveFlow::observe(Group& group, const model::VmFacts& vm) {
    if (group.measures && group.capture.mirrors(mirrored_card(vm))) {
        TRY(group.capture.check_runs());
        group.wait = {};
        group.trouble.clear();
        return {};
    }
    group.vm = vm.vm;
    TRY(group.capture.start(
        {.vm = vm, .servers = address_of(parts_.addresses, vm).servers, .key = TRY(parts_.new_key())}));
    group.measures = true;
    return {};
}

/// Nothing half-made stays, and the next try comes later than the last one did.
void ObserveFlow::failed(const GroupId& id, Group& group, const Error& error) {
    group.measures = false;
    Result<void> outcome = tl::unexpected(error);
    follow_by(outcome, group.capture.stop("it could not be observed"));
    group.trouble = fmt::format("production of group {} is not measured now, which is tried again: {}", id.text(),
                                outcome.error().describe());
    group.wait = kRetry.next(std::max(group.wait, kRetry.base), random_);
    group.retry_at = parts_.capture.clock.now() + group.wait;
}

// ---- replays

Result<std::vector<std::string>> ObserveFlow::begin(const CaptureOrder& order) {
    const model::VmFacts vm = TRY(find_vm(TRY(parts_.inventory.list_vms()), order.vm.text()));
    const ServiceAddress address = address_of(parts_.addresses, vm);
    if (address.servers.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("this host does not know what VM {} serves: name its address and port in "
                                "/etc/penumbra/services.toml",
                                vm.name));
    }
    if (!vm.running || vm.nics.empty()) {
        return fail(ErrorCode::kUnavailable,
                    fmt::format("VM {} does not run, or has no network card: there is no traffic to copy", vm.name));
    }
    std::vector<GroupId> others;
    for (const auto& [id, group] : groups_)
        if (group.vm == vm.vm && id != order.group) others.push_back(id);
    for (const GroupId& id : others)
        TRY(drop(id, "the VM is replayed as another group"));
    Group& group = group_of(order.group);
    group.vm = vm.vm;
    group.replayed = true;
    group.measures = false;
    group.trouble.clear();
    TRY(group.capture.start(
        {.vm = vm, .servers = address.servers, .key = order.key, .share = order.share, .arms = order.arms}));
    return address.servers;
}

Result<void> ObserveFlow::end(const GroupId& id) {
    const auto found = groups_.find(id);
    if (found == groups_.end() || !found->second.replayed) return {};
    Group& group = found->second;
    // The mirror stays for the observation that comes next.
    if (wanted().contains(id)) {
        TRY(group.capture.stop_process());
        group.replayed = false;
        group.retry_at = {};
        group.wait = {};
        follow_at_ = {};
        return {};
    }
    return drop(id, "the replay ended");
}

}  // namespace penumbra::agent
