#include "tests/unit/coordinator/stage.hpp"

#include <algorithm>
#include <variant>

#include <gtest/gtest.h>

namespace penumbra::coordinator {

namespace {
using model::CommandState;
using model::EffectState;
using std::chrono::seconds;

const HostId kHost("hv1");
const GroupId kGroup("shop");
const ShadowId kShadow("s1");
}  // namespace

Stage::Stage() {
    core_.emplace(store_.start(), now_);
    ask(EnrolHost{kHost});
    hello();
}

model::api::ReplyBody Stage::ask(Ask ask) {
    answer_.reset();
    step(Asked{.request_id = "r" + std::to_string(++asked_), .user = "ada", .ask = std::move(ask)});
    pump();
    return answer_.value_or(model::api::Failure{.message = "no answer"});
}

bool Stage::pass_until(const std::function<bool()>& is_done, int most) {
    for (int i = 0; i < most && !is_done(); ++i)
        pass(1);
    return is_done();
}

void Stage::pass(int seconds_count) {
    for (int i = 0; i < seconds_count; ++i) {
        now_ += seconds(1);
        wall_ += seconds(1);
        expire();
        measure();
        if (!deaf) say(model::Heartbeat{.state_version = version_, .troubles = troubles, .hints = hints});
        step(Tick{});
        pump();
    }
}

void Stage::restart() {
    to_host_.clear();
    core_.emplace(store_.start(), now_);
    hello();
}

const model::TrialStatus& Stage::trial(const std::string& name) const {
    return core_->fleet().trials.at(TrialId(name)).status;
}

const model::RolloutStatus& Stage::rollout(const std::string& name) const {
    return core_->fleet().rollouts.at(RolloutId(name)).status;
}

std::vector<std::string> Stage::standing() const {
    std::vector<std::string> all;
    for (const auto& [id, effect] : effects_) {
        if (effect.status.state == EffectState::kVerified || effect.status.state == EffectState::kConfirmed)
            all.push_back(effect.spec.target.is_production() ? "production" : "shadow");
    }
    return all;
}

// ---- the coordinator

void Stage::step(const Event& event) {
    std::optional<std::uint64_t> committed;
    for (Action& action : core_->step(event, {.now = now_, .wall = wall_}, random_)) {
        if (const auto* persist = std::get_if<Persist>(&action)) {
            const std::optional<std::string> broken = store_.commit(persist->batch);
            EXPECT_FALSE(broken.has_value()) << *broken;
            committed = persist->batch.number;
        }
        if (auto* send = std::get_if<Send>(&action)) to_host_.push_back(std::move(send->envelope));
        if (auto* answer = std::get_if<Answer>(&action)) answer_ = std::move(answer->reply.body);
    }
    if (committed.has_value()) step(Committed{*committed});
}

// ---- the host

void Stage::die_when(Death death, std::function<bool()> when) {
    when_ = death;
    death_ = std::move(when);
}

bool Stage::dies(Death death) {
    if (died_ || !death_ || when_ != death || !death_()) return false;
    died_ = true;
    restart();
    return true;
}

void Stage::pump() {
    while (true) {
        if (dies(Death::kBeforeTheDeed)) return;
        if (to_host_.empty()) return;
        const model::Envelope envelope = std::move(to_host_.front());
        to_host_.pop_front();
        if (!deaf) hear(envelope);
    }
}

void Stage::say(model::Body body) {
    if (!deaf) step(Received{kHost, {.session = session_, .sequence = 1, .body = std::move(body)}});
}

void Stage::hello() {
    model::Hello hello{.host = kHost,
                       .instance = "a",
                       .facts = {.hypervisor_version = "9.0.0", .vms = {{.vm = VmId("shop"), .name = "shop"}}}};
    for (const auto& [id, report] : results_)
        hello.commands.push_back(report);
    step(Received{kHost, {.sequence = ++hellos_, .body = std::move(hello)}});
    pump();
    say_state();
    pump();
}

void Stage::say_state() {
    ++version_;
    model::ShadowStatus shadow{
        .spec = {.shadow = kShadow, .group = kGroup, .scale = 0.5, .arms = {ArmId("control"), ArmId("treated")}}};
    shadow.arms = {{.arm = ArmId("control"), .state = model::ArmState::kServing},
                   {.arm = ArmId("treated"),
                    .state = severed ? model::ArmState::kSevered : model::ArmState::kServing,
                    .reason = severed ? "flow NORMAL on br-s1-treated" : ""}};
    say(model::ShadowReport{.version = version_, .shadows = {shadow}});
    model::EffectReport effects{.version = version_};
    for (const auto& [id, effect] : effects_)
        effects.effects.push_back(effect.status);
    say(std::move(effects));
}

void Stage::hear(const model::Envelope& envelope) {
    if (const auto* welcome = std::get_if<model::Welcome>(&envelope.body)) session_ = welcome->session;
    if (const auto* ack = std::get_if<model::ResultAck>(&envelope.body)) results_.erase(ack->command);
    if (const auto* ack = std::get_if<model::KpiAck>(&envelope.body)) {
        for (const auto& [vantage, up_to] : ack->committed_up_to) {
            std::erase_if(windows_, [&](const model::KpiWindow& window) {
                return window.vantage == vantage && window.sequence <= up_to;
            });
        }
    }
    const auto* command = std::get_if<model::Command>(&envelope.body);
    if (command == nullptr || envelope.session != session_) return;
    if (!results_.contains(command->id)) {
        model::CommandReport report = do_it(command->operation);
        report.command = command->id;
        report.at = wall_;
        results_[command->id] = report;
        if (dies(Death::kAfterTheDeed)) return;
        say_state();
    }
    if (const auto result = results_.find(command->id); result != results_.end()) say(result->second);
}

model::CommandReport Stage::do_it(const model::Operation& operation) {
    const std::string name(model::name_of(operation));
    if (const auto scripted = answers.find(name); scripted != answers.end()) return scripted->second;
    if (const auto* start = std::get_if<model::StartReplay>(&operation)) {
        replaying_ = true;
        multiple_ = start->rate_multiple;
    }
    if (std::holds_alternative<model::StopReplay>(operation)) replaying_ = false;
    if (const auto* inspect = std::get_if<model::InspectVm>(&operation)) {
        return {.state = CommandState::kSucceeded,
                .outcome = model::Inspected{.config_hash = hash_of(inspect->shadow.empty())}};
    }
    const bool of_effect = std::holds_alternative<model::ApplyEffect>(operation) ||
                           std::holds_alternative<model::ConfirmEffect>(operation) ||
                           std::holds_alternative<model::RevertEffect>(operation);
    if (of_effect) return do_effect(operation);
    ++done[name];
    return {.state = CommandState::kSucceeded};
}

model::CommandReport Stage::do_effect(const model::Operation& operation) {
    EffectId id;
    if (const auto* apply = std::get_if<model::ApplyEffect>(&operation)) {
        id = apply->effect.id;
        effects_[id] = {.spec = apply->effect,
                        .status = {.id = id, .state = EffectState::kVerified},
                        .lease_ends = now_ + apply->effect.lease};
        effects_[id].status.after_hash = hash_of(apply->effect.target.is_production());
    }
    if (const auto* confirm = std::get_if<model::ConfirmEffect>(&operation)) id = confirm->effect;
    if (const auto* revert = std::get_if<model::RevertEffect>(&operation)) id = revert->effect;
    const auto found = effects_.find(id);
    if (found == effects_.end()) {
        return {.state = CommandState::kFailed,
                .error_code = ErrorCode::kNotFound,
                .message = "no effect " + id.text() + " on this host"};
    }
    Standing& effect = found->second;
    ++done[std::string(model::name_of(operation)) +
           (effect.spec.target.is_production() ? " on production" : " on the shadow")];
    if (std::holds_alternative<model::ConfirmEffect>(operation)) {
        if (effect.status.state != EffectState::kVerified) {
            return {.state = CommandState::kFailed,
                    .error_code = ErrorCode::kDeadlineExceeded,
                    .message = "the lease of effect " + id.text() + " has run out"};
        }
        effect.status.state = EffectState::kConfirmed;
    }
    if (std::holds_alternative<model::RevertEffect>(operation)) {
        if (somebody_changed_it && effect.spec.target.is_production()) {
            effect.status.state = EffectState::kConflict;
            effect.status.reason = "somebody changed it since";
        } else {
            undo(effect, "the coordinator ordered it");
        }
    }
    return {.state = CommandState::kSucceeded, .outcome = effect.status};
}

void Stage::undo(Standing& effect, std::string why) {
    effect.status.state = EffectState::kReverted;
    effect.status.reason = std::move(why);
    if (revert_leaves_a_trace) trace_ = "+trace";
}

void Stage::undo_effects(const std::string& why) {
    for (auto& [id, effect] : effects_) {
        if (effect.status.state == EffectState::kVerified) undo(effect, why);
    }
    say_state();
}

void Stage::expire() {
    bool any = false;
    for (auto& [id, effect] : effects_) {
        if (effect.status.state != EffectState::kVerified || now_ < effect.lease_ends) continue;
        undo(effect, "its lease ran out");
        any = true;
    }
    if (any) say_state();
}

bool Stage::stands_on(bool production) const {
    return std::ranges::any_of(effects_, [&](const auto& item) {
        const EffectState state = item.second.status.state;
        return item.second.spec.target.is_production() == production &&
               (state == EffectState::kVerified || state == EffectState::kConfirmed || state == EffectState::kConflict);
    });
}

std::string Stage::hash_of(bool production) const {
    return std::string(production ? "production" : "shadow") + (stands_on(production) ? "+change" : "") + trace_;
}

model::KpiWindow Stage::window_of(const model::Vantage& vantage, double slowness, double multiple) {
    model::KpiWindow window{.vantage = vantage,
                            .sequence = ++sequences_[vantage],
                            .begin = wall_ - seconds(1),
                            .length = seconds(1),
                            .requests = static_cast<std::uint64_t>(100 * multiple)};
    const double noise = 0.95 + 0.1 * static_cast<double>(uniform(random_, 1000)) / 1000.0;
    window.response_time = {
        {.value_us = static_cast<std::uint64_t>(10'000 * slowness * noise), .count = window.requests}};
    window.ledger = {.captured = window.requests, .replayed = window.requests};
    return window;
}

void Stage::measure() {
    windows_.push_back(window_of({.group = kGroup}, stands_on(true) ? harm : 1, 1));
    if (replaying_) {
        const double load = multiple_ > capacity_multiple ? 10 : 1;
        windows_.push_back(window_of({.group = kGroup, .shadow = kShadow, .arm = ArmId("control")}, 1, 1));
        windows_.push_back(window_of({.group = kGroup, .shadow = kShadow, .arm = ArmId("treated")},
                                     treated_always * load * (stands_on(false) ? harm : 1), multiple_));
    }
    if (windows_.size() > 64) windows_.erase(windows_.begin(), windows_.begin() + 32);
    say(model::KpiReport{.windows = {windows_.begin(), windows_.end()}});
}

}  // namespace penumbra::coordinator
