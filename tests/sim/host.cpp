#include "tests/sim/host.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits/wire.hpp"

namespace penumbra::sim {

namespace {
constexpr seconds kKpiLength{5};
}

SimHost::SimHost(World& world, std::size_t index, Uplink uplink)
    : world_(world),
      id_(fmt::format("hv{}", index)),
      group_(fmt::format("vm{}", index)),
      uplink_(std::move(uplink)),
      chance_(world.chance.source()()),
      clock_ahead_(seconds(chance_.below(100'000))) {
    facts_ = {.hypervisor_version = "9.0.0",
              .may_run_shadows = true,
              .vms = {{.vm = VmId(group_.text()), .name = group_.text(), .running = true}}};
}

void SimHost::start() {
    if (up()) return;
    ++life_;
    served_ = disk_.epoch;
    core_.emplace(agent::Identity{.host = id_, .instance = fmt::format("{}-{}", id_.text(), life_)}, disk_,
                  world_.time.now() + clock_ahead_, chance_.source());
    world_.trace([&] { return fmt::format("{} agent starts, life {}", id_.text(), life_); });
    step(agent::PolicyRead{
        {.ceiling = model::Ceiling::kChange, .vms = {"*"}, .effect_kinds = {"*"}, .may_run_shadows = true}});
    in_this_life(chance_.between(milliseconds(50), seconds(2)), [this] {
        if (chance_.one_in(2)) facts_.memory_available = Bytes(chance_.below(1'000'000));
        step(agent::FactsObserved{facts_});
        observe();
    });
    // Their source outlives the agent and tells all that nobody has taken yet.
    for (const model::KpiWindow& window : std::deque(unreleased_))
        step(agent::KpiMeasured{window});
}

void SimHost::stop(bool graceful) {
    if (!up()) return;
    world_.trace([&] { return fmt::format("{} agent {}", id_.text(), graceful ? "stops" : "dies"); });
    if (graceful) step(agent::Stopping{.reason = "it is stopped"});
    const std::size_t reached = graceful ? unsynced_.size() : chance_.below(unsynced_.size() + 1);
    for (std::size_t i = 0; i < reached; ++i)
        agent::fold(disk_, unsynced_[i].record);
    unsynced_.clear();
    core_.reset();
    ++life_;
}

void SimHost::receive(const model::Envelope& envelope) {
    if (!up()) return;
    step(agent::Received{envelope});
}

void SimHost::measure() {
    const auto now = std::chrono::duration_cast<milliseconds>((world_.time.now() + clock_ahead_).time_since_epoch());
    measured({.vantage = {.group = group_},
              .sequence = ++windows_,
              .begin = WallTime(now - kKpiLength),
              .length = kKpiLength,
              .requests = 50});
    measure_arms(WallTime(now));
}

void SimHost::measured(model::KpiWindow window) {
    unreleased_.push_back(std::move(window));
    if (up()) step(agent::KpiMeasured{unreleased_.back()});
}

/// One window a second for every arm that is being replayed to.
void SimHost::measure_arms(WallTime now) {
    for (const ShadowId& shadow : replaying_) {
        const auto found = shadows_.find(shadow);
        if (found == shadows_.end()) continue;
        for (const ArmId& arm : found->second.spec.arms) {
            const model::Vantage vantage{.group = group_, .shadow = shadow, .arm = arm};
            for (WallTime begin = now - kKpiLength; begin < now; begin += seconds(1)) {
                model::KpiWindow window{.vantage = vantage,
                                        .sequence = ++sequences_[vantage],
                                        .begin = begin,
                                        .length = seconds(1),
                                        .requests = 100};
                window.response_time = {{.value_us = 9'500 + chance_.below(1'000), .count = 100}};
                window.ledger = {.captured = 100, .replayed = 100};
                measured(std::move(window));
            }
        }
    }
}

void SimHost::step(const agent::Event& event) {
    const std::uint64_t life = life_;
    for (agent::Action& action : core_->step(event, world_.time.now() + clock_ahead_, chance_.source())) {
        act(action);
        if (life != life_) return;
    }
    if (core_->contact().in_session()) served_ = std::max(served_, core_->contact().session().epoch);
    wake();
}

void SimHost::wake() {
    const Instant next = std::max(core_->next_wake() - clock_ahead_, world_.time.now());
    if (next == wake_at_) return;
    wake_at_ = next;
    in_this_life(next - world_.time.now(), [this, next] {
        if (wake_at_ != next) return;
        wake_at_ = {};
        step(agent::Tick{});
    });
}

void SimHost::in_this_life(std::chrono::nanoseconds delay, std::function<void()> what) {
    world_.time.after(delay, [this, life = life_, what = std::move(what)] {
        if (life == life_) what();
    });
}

void SimHost::act(agent::Action& action) {
    if (auto* send = std::get_if<agent::Send>(&action)) uplink_(send->envelope);
    if (auto* journal = std::get_if<agent::Journal>(&action)) keep(std::move(*journal));
    if (auto* execute_it = std::get_if<agent::Execute>(&action)) execute(execute_it->command);
    if (auto* recover_it = std::get_if<agent::Recover>(&action)) recover(recover_it->command);
    if (auto* release = std::get_if<agent::ReleaseKpi>(&action)) {
        std::erase_if(unreleased_, [&](const model::KpiWindow& window) {
            return window.vantage == release->vantage && window.sequence <= release->up_to;
        });
    }
    if (auto* note = std::get_if<agent::Note>(&action))
        world_.trace([&] { return fmt::format("{} notes {}: {}", id_.text(), note->kind, note->message); });
}

void SimHost::keep(agent::Journal journal) {
    unsynced_.push_back(std::move(journal));
    in_this_life(chance_.between(milliseconds(1), milliseconds(chance_.one_in(50) ? 2000 : 10)), [this] { sync(); });
}

/// Entries reach the disk in order, one a call.
void SimHost::sync() {
    const agent::Journal entry = std::move(unsynced_.front());
    unsynced_.pop_front();
    agent::fold(disk_, entry.record);
    step(agent::Journalled{entry.number});
}

void SimHost::check(const model::Command& command) {
    const auto which = [&] { return fmt::format("command {} on {}", command.id.text(), id_.text()); };
    if (deeds_[command.id].begun > 0) world_.breaks(which() + " was begun twice");
    if (command.epoch < served_) {
        world_.breaks(fmt::format("{} is of epoch {} and the host has served epoch {}", which(), number(command.epoch),
                                  number(served_)));
    }
    if (command.fence <= fences_[command.resource]) {
        world_.breaks(fmt::format("{} has fence {} and '{}' was at {} already", which(), number(command.fence),
                                  command.resource.text(), number(fences_[command.resource])));
    }
    const bool on_disk = std::ranges::any_of(
        disk_.commands, [&](const agent::JournalImage::Entry& entry) { return entry.command.id == command.id; });
    if (!on_disk) world_.breaks(which() + " was begun before its acceptance was on disk");
}

void SimHost::execute(const model::Command& command) {
    world_.trace([&] { return fmt::format("{} begins {}", id_.text(), command.id.text()); });
    check(command);
    Deed& deed = deeds_[command.id];
    deed.operation = command.operation;
    ++deed.begun;
    fences_[command.resource] = command.fence;
    const milliseconds longest = world_.calm ? milliseconds(200) : seconds(chance_.one_in(5) ? 40 : 3);
    const milliseconds length = chance_.between(milliseconds(20), longest);
    const bool takes_away = std::holds_alternative<model::RevertEffect>(command.operation) ||
                            std::holds_alternative<model::InspectVm>(command.operation) ||
                            std::holds_alternative<model::StopReplay>(command.operation);
    const bool works = can_do(command.operation) && (takes_away || !chance_.one_in(8));
    in_this_life(length / 3, [this, command] {
        step(agent::WorkerReported{{.command = command.id, .state = model::CommandState::kRunning, .progress = 0.3}});
    });
    in_this_life(length / 2, [this, command, works] {
        if (works) do_it(command);
    });
    in_this_life(length, [this, command, works] { report(command, works); });
}

void SimHost::recover(const model::Command& command) {
    world_.trace([&] { return fmt::format("{} recovers {}", id_.text(), command.id.text()); });
    fences_[command.resource] = std::max(fences_[command.resource], command.fence);
    in_this_life(chance_.between(milliseconds(10), seconds(5)), [this, command] {
        deeds_[command.id].operation = command.operation;
        // Undoing again, and reading again, do no more than once.
        const bool again = std::holds_alternative<model::RevertEffect>(command.operation) ||
                           std::holds_alternative<model::InspectVm>(command.operation) ||
                           std::holds_alternative<model::StopReplay>(command.operation);
        if (again && !deeds_[command.id].done && can_do(command.operation)) do_it(command);
        report(command, deeds_[command.id].done);
    });
}

void SimHost::do_it(const model::Command& command) {
    Deed& deed = deeds_[command.id];
    if (deed.done) world_.breaks(fmt::format("command {} took effect twice on {}", command.id.text(), id_.text()));
    deed.done = true;
    if (std::holds_alternative<model::ReplicateGroup>(command.operation)) ++generations_;
    do_shadow(command.operation);
    do_effect(command.operation);
    in_this_life(chance_.between(milliseconds(1), seconds(4)), [this] { observe(); });
}

void SimHost::do_shadow(const model::Operation& operation) {
    if (const auto* make = std::get_if<model::CreateShadow>(&operation)) {
        model::ShadowStatus& status = shadows_[make->shadow.shadow];
        status = {.spec = make->shadow, .generation = generations_};
        for (const ArmId& arm : make->shadow.arms)
            status.arms.push_back({.arm = arm, .state = model::ArmState::kServing});
    }
    if (const auto* remove = std::get_if<model::DestroyShadow>(&operation)) shadows_.erase(remove->shadow);
    if (std::holds_alternative<model::CleanHost>(operation)) shadows_.clear();
    if (const auto* replay = std::get_if<model::StartReplay>(&operation)) replaying_.insert(replay->shadow);
    if (const auto* replay = std::get_if<model::StopReplay>(&operation)) replaying_.erase(replay->shadow);
}

const model::EffectStatus* SimHost::effect(const EffectId& id) const {
    const auto found = effects_.find(id);
    return found == effects_.end() ? nullptr : &found->second;
}

bool SimHost::can_do(const model::Operation& operation) const {
    if (const auto* confirm = std::get_if<model::ConfirmEffect>(&operation)) {
        const model::EffectStatus* status = effect(confirm->effect);
        return status != nullptr && status->state == model::EffectState::kVerified;
    }
    const auto* revert = std::get_if<model::RevertEffect>(&operation);
    return revert == nullptr || effect(revert->effect) != nullptr;
}

/// Effects end with their lease, whether the agent lives or not.
void SimHost::do_effect(const model::Operation& operation) {
    if (const auto* apply = std::get_if<model::ApplyEffect>(&operation)) {
        const EffectId id = apply->effect.id;
        effects_[id] = {.id = id, .state = model::EffectState::kVerified};
        world_.time.after(apply->effect.lease, [this, id] {
            if (effects_[id].state != model::EffectState::kVerified) return;
            effects_[id].state = model::EffectState::kReverted;
            effects_[id].reason = "its lease ran out";
            if (up()) observe();
        });
    }
    if (const auto* confirm = std::get_if<model::ConfirmEffect>(&operation)) {
        // What was checked when it was begun may be over by now.
        model::EffectStatus& status = effects_[confirm->effect];
        if (status.state == model::EffectState::kVerified) status.state = model::EffectState::kConfirmed;
    }
    if (const auto* revert = std::get_if<model::RevertEffect>(&operation))
        effects_[revert->effect].state = model::EffectState::kReverted;
}

void SimHost::observe() {
    std::vector<model::ShadowStatus> seen;
    for (const auto& [id, status] : shadows_)
        seen.push_back(status);
    step(agent::ShadowsObserved{seen});
    std::vector<model::EffectStatus> effects;
    for (const auto& [id, status] : effects_) {
        if (effects.size() < limits::kEffectsPerReportMax) effects.push_back(status);
    }
    step(agent::EffectsObserved{std::move(effects)});
}

model::Outcome SimHost::outcome_of(const model::Command& command) const {
    if (std::holds_alternative<model::ReplicateGroup>(command.operation))
        return model::Generation{.group = group_, .number = generations_};
    if (const auto* make = std::get_if<model::CreateShadow>(&command.operation)) {
        const auto found = shadows_.find(make->shadow.shadow);
        if (found != shadows_.end()) return found->second;
    }
    if (std::holds_alternative<model::InspectVm>(command.operation)) {
        const bool confirmed = std::ranges::any_of(
            effects_, [](const auto& item) { return item.second.state == model::EffectState::kConfirmed; });
        return model::Inspected{.config_hash = confirmed ? "changed" : "unchanged"};
    }
    EffectId id;
    if (const auto* apply = std::get_if<model::ApplyEffect>(&command.operation)) id = apply->effect.id;
    if (const auto* confirm = std::get_if<model::ConfirmEffect>(&command.operation)) id = confirm->effect;
    if (const auto* revert = std::get_if<model::RevertEffect>(&command.operation)) id = revert->effect;
    if (const model::EffectStatus* status = effect(id); status != nullptr) return *status;
    return model::Done{};
}

void SimHost::report(const model::Command& command, bool worked) {
    model::CommandReport report{.command = command.id,
                                .state = worked ? model::CommandState::kSucceeded : model::CommandState::kFailed,
                                .message = worked ? "" : "it did not work"};
    if (worked) {
        report.outcome = outcome_of(command);
    } else if (!can_do(command.operation)) {
        report.error_code = ErrorCode::kNotFound;
    }
    report.at =
        WallTime(std::chrono::duration_cast<milliseconds>((world_.time.now() + clock_ahead_).time_since_epoch()));
    observe();  // as a flow does: what stands is told before the end of what made it
    step(agent::WorkerReported{std::move(report)});
}

}  // namespace penumbra::sim
