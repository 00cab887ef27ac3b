#include "coordinator/core/trial_machine.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/limits/coordinator.hpp"
#include "base/limits/effects.hpp"
#include "coordinator/core/commands.hpp"
#include "coordinator/core/trial_judge.hpp"
#include "coordinator/core/waiting.hpp"

namespace penumbra::coordinator {

namespace {
using model::TrialKind;
using model::TrialState;
using model::VerdictKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string subject_of(const TrialRecord& record) {
    return "trial:" + record.status.spec.trial.text();
}

model::Vantage vantage_of(const TrialRecord& record, const ArmId& arm) {
    return {.group = record.status.group, .shadow = record.status.spec.shadow, .arm = arm};
}

ArmWindows windows_of(const Fleet& fleet, const TrialRecord& record, const model::TrialSpan& span) {
    return {.control = fleet.kpi.within(vantage_of(record, record.status.spec.control), span),
            .treated = fleet.kpi.within(vantage_of(record, record.status.spec.treated), span)};
}

bool has_effect(const TrialRecord& record) {
    return record.status.spec.kind == TrialKind::kFault || record.status.spec.kind == TrialKind::kChange;
}

bool takes_back(TrialState state) {
    return state == TrialState::kReverting || state == TrialState::kStoppingReplay || state == TrialState::kEnded;
}

/// One trial under way in one step.
class Run {
 public:
    Run(Turn& turn, TrialRecord& record) : turn_(turn), record_(record), status_(record.status) {}

    /// True when it moved: then it may move again.
    bool advance();
    void begin();
    void give_up(VerdictKind kind, std::string reason);

 private:
    bool start_replay_ended(const Ending& ending);
    bool applying_ended(const Ending& ending);
    bool measuring();
    bool load_step_measured();
    void after_warm_up();
    void apply();
    void measure_from(WallTime at);
    void decide(model::Verdict verdict);
    void clean_up();
    void stop_replay();
    void end();
    void to(TrialState state, std::string reason);
    bool send(TrialState state, model::Operation operation, std::string reason);
    [[nodiscard]] bool covered(const model::TrialSpan& span) const;
    [[nodiscard]] bool span_over();
    [[nodiscard]] std::string arms_fault() const;
    [[nodiscard]] model::StartReplay replay(double multiple, std::vector<ArmId> arms) const;

    Turn& turn_;
    TrialRecord& record_;
    model::TrialStatus& status_;
};

void Run::to(TrialState state, std::string reason) {
    waited_enough(turn_, subject_of(record_));
    status_.state = state;
    status_.reason = std::move(reason);
    turn_.keep(record_);
    turn_.tell("trial_" + std::string(model::to_string(state)), subject_of(record_), status_.reason);
}

/// False when the host has no room for the command: the trial is given up.
bool Run::send(TrialState state, model::Operation operation, std::string reason) {
    Result<CommandId> sent = order(turn_, {.host = status_.host,
                                           .resource = ResourceId("shadow:" + status_.spec.shadow.text()),
                                           .operation = std::move(operation),
                                           .asked_by = subject_of(record_)});
    if (!sent.has_value()) {
        status_.reason = sent.error().describe();
        return false;
    }
    record_.pending = *sent;
    to(state, std::move(reason));
    return true;
}

model::StartReplay Run::replay(double multiple, std::vector<ArmId> arms) const {
    double share = status_.spec.share;
    const auto shadow = turn_.fleet.shadows.find(status_.spec.shadow);
    if (share == 0 && shadow != turn_.fleet.shadows.end()) share = shadow->second.status.spec.scale;
    return {.shadow = status_.spec.shadow, .share = share, .rate_multiple = multiple, .arms = std::move(arms)};
}

void Run::begin() {
    if (!send(TrialState::kStartingReplay, replay(1, {}), "production's traffic is being led to both arms"))
        give_up(VerdictKind::kInvalid, status_.reason);
}

std::string Run::arms_fault() const {
    const auto shadow = turn_.fleet.shadows.find(status_.spec.shadow);
    if (shadow == turn_.fleet.shadows.end()) return fmt::format("the shadow '{}' is gone", status_.spec.shadow.text());
    for (const model::ArmStatus& arm : shadow->second.status.arms) {
        if (arm.arm != status_.spec.control && arm.arm != status_.spec.treated) continue;
        if (arm.state != model::ArmState::kSevered && arm.state != model::ArmState::kGone) continue;
        return fmt::format("arm '{}' is {}: {}", arm.arm.text(), model::to_string(arm.state), arm.reason);
    }
    return {};
}

bool Run::covered(const model::TrialSpan& span) const {
    return turn_.fleet.kpi.covers(vantage_of(record_, status_.spec.control), span) &&
           turn_.fleet.kpi.covers(vantage_of(record_, status_.spec.treated), span);
}

/// True when the span's windows are there; when they do not come, the trial is given up.
bool Run::span_over() {
    if (covered(record_.span)) return true;
    const milliseconds patience = record_.span.to - record_.span.from + status_.spec.settle + limits::kKpiGrace;
    if (waited(turn_, status_.host, subject_of(record_), patience))
        give_up(VerdictKind::kInvalid, "an arm sent no windows of its KPIs in time");
    return false;
}

bool Run::advance() {
    if (status_.state == TrialState::kEnded) return false;
    if (!takes_back(status_.state)) {
        if (std::string fault = arms_fault(); !fault.empty() && !status_.verdict.has_value()) {
            give_up(VerdictKind::kInvalid, std::move(fault));
            return true;
        }
    }
    if (!record_.pending.empty()) {
        const std::optional<Ending> ending = ending_of(turn_.fleet, record_.pending);
        if (!ending.has_value()) return false;
        record_.pending = CommandId();
        turn_.keep(record_);
        if (status_.state == TrialState::kStoppingReplay) return end(), true;
        if (status_.state == TrialState::kReverting) {
            if (!ending->worked()) status_.reason += fmt::format("; taking it back: {}", ending->sentence());
            return stop_replay(), true;
        }
        if (status_.verdict.has_value()) {  // given up meanwhile
            if (status_.state == TrialState::kApplying && has_effect(record_) && ending->never_begun())
                record_.effect = EffectId();
            return clean_up(), true;
        }
        return status_.state == TrialState::kStartingReplay ? start_replay_ended(*ending) : applying_ended(*ending);
    }
    if (status_.state == TrialState::kWarmingUp && span_over()) return after_warm_up(), true;
    if (status_.state == TrialState::kBaseline && span_over()) {
        status_.aa =
            judge_arms(status_.spec, {}, windows_of(turn_.fleet, record_, status_.baseline), status_.spec.baseline);
        if (status_.aa->kind == VerdictKind::kInvalid) {
            give_up(VerdictKind::kInvalid, "before anything was done: " + status_.aa->reason);
        } else {
            apply();
        }
        return true;
    }
    return status_.state == TrialState::kMeasuring && measuring();
}

bool Run::start_replay_ended(const Ending& ending) {
    if (!ending.worked()) {
        give_up(VerdictKind::kInvalid, "the replay could not be started: " + ending.sentence());
        return true;
    }
    record_.span = {.from = ending.report.at, .to = ending.report.at + status_.spec.warm_up};
    to(TrialState::kWarmingUp, fmt::format("both arms warm up for {} s", status_.spec.warm_up.count()));
    return true;
}

void Run::after_warm_up() {
    const WallTime now = record_.span.to;
    if (status_.spec.kind == TrialKind::kAa) return measure_from(now);
    if (status_.spec.kind == TrialKind::kLoad || status_.spec.baseline.count() == 0) return apply();
    record_.span = status_.baseline = {.from = now, .to = now + status_.spec.baseline};
    to(TrialState::kBaseline,
       fmt::format("the arms are compared for {} s before anything is done", status_.spec.baseline.count()));
}

void Run::apply() {
    if (status_.spec.kind == TrialKind::kLoad) {
        const double multiple = status_.spec.load_multiples[status_.load.size()];
        if (!send(TrialState::kApplying, replay(multiple, {status_.spec.treated}),
                  fmt::format("arm '{}' gets {:.2f} times the load", status_.spec.treated.text(), multiple)))
            give_up(VerdictKind::kInvalid, status_.reason);
        return;
    }
    model::EffectSpec effect = *status_.spec.effect;
    effect.id = record_.effect = EffectId(turn_.new_name("e"));
    effect.target.shadow = status_.spec.shadow;
    effect.target.arm = status_.spec.treated;
    if (effect.target.vm.empty()) effect.target.vm = VmId(status_.group.text());
    const std::string kind(model::kind_of(effect));
    if (send(TrialState::kApplying, model::ApplyEffect{std::move(effect)},
             fmt::format("{} is applied to arm '{}'", kind, status_.spec.treated.text())))
        return;
    record_.effect = EffectId();
    give_up(VerdictKind::kInvalid, status_.reason);
}

bool Run::applying_ended(const Ending& ending) {
    if (!ending.worked()) {
        if (ending.never_begun()) record_.effect = EffectId();
        give_up(VerdictKind::kInvalid, "the host did not do it: " + ending.sentence());
        return true;
    }
    measure_from(ending.report.at + status_.spec.settle);
    return true;
}

void Run::measure_from(WallTime at) {
    record_.span = {.from = at, .to = at + status_.spec.measure};
    if (status_.spec.kind == TrialKind::kLoad) {
        status_.load.push_back({.multiple = status_.spec.load_multiples[status_.load.size()], .span = record_.span});
    } else {
        status_.measured = record_.span;
    }
    to(TrialState::kMeasuring, fmt::format("it is measured for {} s", status_.spec.measure.count()));
}

bool Run::measuring() {
    if (has_effect(record_)) {
        const model::EffectStatus* effect = effect_on(turn_.fleet, status_.host, record_.effect);
        if (ended_by_itself(effect) && !covered(record_.span)) {
            give_up(VerdictKind::kInvalid, "the effect did not stand for the whole measurement: " + effect->reason);
            return true;
        }
    }
    const ArmWindows after = windows_of(turn_.fleet, record_, record_.span);
    if (!covered(record_.span) && status_.spec.kind == TrialKind::kChange) {
        if (const std::string harm = sure_harm(status_.spec, after); !harm.empty()) {
            model::Verdict early =
                judge_arms(status_.spec, windows_of(turn_.fleet, record_, status_.baseline), after, seconds(0));
            // Too little for the judge, but harm is sure: it ends all the same.
            if (early.kind != VerdictKind::kFail) early = verdict_without_data(VerdictKind::kAborted, harm);
            early.reason += "; ended early";
            return decide(std::move(early)), true;
        }
    }
    if (!span_over()) return status_.verdict.has_value();
    if (status_.spec.kind == TrialKind::kLoad) return load_step_measured();
    decide(judge_arms(status_.spec, windows_of(turn_.fleet, record_, status_.baseline), after, status_.spec.measure));
    return true;
}

bool Run::load_step_measured() {
    std::vector<std::vector<model::KpiWindow>> treated;
    for (const model::LoadStep& step : status_.load)
        treated.push_back(windows_of(turn_.fleet, record_, step.span).treated);
    LoadJudgement judgement = judge_load(status_.spec, treated);
    for (std::size_t i = 0; i < judgement.steps.size(); ++i)
        status_.load[i].verdict = std::move(judgement.steps[i]);
    const VerdictKind last = status_.load.back().verdict.kind;
    const bool higher = last == VerdictKind::kPass || last == VerdictKind::kInconclusive;
    if (higher && status_.load.size() < status_.spec.load_multiples.size()) {
        apply();
    } else {
        decide(std::move(judgement.overall));
    }
    return true;
}

void Run::decide(model::Verdict verdict) {
    status_.verdict = std::move(verdict);
    clean_up();
}

void Run::give_up(VerdictKind kind, std::string reason) {
    status_.verdict = verdict_without_data(kind, std::move(reason));
    turn_.keep(record_);
    // What was ordered may still be done: its end is waited for, then all is taken back.
    if (record_.pending.empty()) clean_up();
}

void Run::clean_up() {
    if (record_.effect.empty()) return stop_replay();
    if (!send(TrialState::kReverting, model::RevertEffect{record_.effect}, "the effect is taken back")) stop_replay();
}

void Run::stop_replay() {
    if (!send(TrialState::kStoppingReplay, model::StopReplay{status_.spec.shadow}, "the replay is stopped")) end();
}

void Run::end() {
    record_.pending = CommandId();
    status_.ended = turn_.at.wall;
    to(TrialState::kEnded, fmt::format("{}: {}", model::to_string(status_.verdict->kind), status_.verdict->reason));
}

/// Ended ones are kept for listings, the oldest make room.
void prune(Fleet& fleet) {
    while (fleet.trials.size() > limits::kTrialsListedMax) {
        auto oldest = fleet.trials.end();
        for (auto trial = fleet.trials.begin(); trial != fleet.trials.end(); ++trial) {
            const bool older = oldest == fleet.trials.end() || trial->second.status.ended < oldest->second.status.ended;
            if (trial->second.status.state == TrialState::kEnded && older) oldest = trial;
        }
        if (oldest == fleet.trials.end()) return;
        fleet.trials.erase(oldest);
    }
}

Result<void> check(const Fleet& fleet, const model::TrialSpec& spec) {
    TRY(check_rules(spec));
    const auto shadow = fleet.shadows.find(spec.shadow);
    if (shadow == fleet.shadows.end())
        return fail(ErrorCode::kNotFound, fmt::format("there is no shadow '{}'", spec.shadow.text()));
    const auto& arms = shadow->second.status.spec.arms;
    for (const ArmId& arm : {spec.control, spec.treated}) {
        if (std::ranges::find(arms, arm) == arms.end()) {
            return fail(ErrorCode::kNotFound,
                        fmt::format("shadow '{}' has no arm '{}'", spec.shadow.text(), arm.text()));
        }
    }
    if (const TrialRecord* other = trial_on(fleet, spec.shadow); other != nullptr) {
        return fail(ErrorCode::kConflict, fmt::format("trial '{}' runs on shadow '{}': wait, or abort it",
                                                      other->status.spec.trial.text(), spec.shadow.text()));
    }
    const auto same = fleet.trials.find(spec.trial);
    if (same != fleet.trials.end() && same->second.status.state != TrialState::kEnded)
        return fail(ErrorCode::kAlreadyExists, fmt::format("trial '{}' runs already", spec.trial.text()));
    if (spec.kind != TrialKind::kFault && spec.kind != TrialKind::kChange) return {};
    if (!spec.effect.has_value()) return fail(ErrorCode::kInvalidArgument, "a trial of this kind needs an effect");
    if (spec.effect->lease < spec.settle + spec.measure) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("the effect's lease of {} s ends before it is measured: it needs {} s at least",
                                spec.effect->lease.count(), (spec.settle + spec.measure).count()));
    }
    return {};
}

}  // namespace

const TrialRecord* trial_on(const Fleet& fleet, const ShadowId& shadow) {
    for (const auto& [id, record] : fleet.trials) {
        if (record.status.spec.shadow == shadow && record.status.state != TrialState::kEnded) return &record;
    }
    return nullptr;
}

Result<TrialId> start_trial(Turn& turn, model::TrialSpec spec, const RolloutId& rollout, std::string asked_by) {
    TRY(check(turn.fleet, spec));
    const ShadowRecord& shadow = turn.fleet.shadows.at(spec.shadow);
    const TrialId id = spec.trial;
    TrialRecord& record = turn.fleet.trials[id];
    record = {.status = {.spec = std::move(spec),
                         .group = shadow.status.spec.group,
                         .host = shadow.host,
                         .begun = turn.at.wall},
              .rollout = rollout,
              .asked_by = std::move(asked_by)};
    Run(turn, record).begin();
    prune(turn.fleet);
    return id;
}

Result<void> abort_trial(Turn& turn, const TrialId& trial, std::string reason) {
    const auto found = turn.fleet.trials.find(trial);
    if (found == turn.fleet.trials.end())
        return fail(ErrorCode::kNotFound, fmt::format("there is no trial '{}'", trial.text()));
    TrialRecord& record = found->second;
    if (record.status.verdict.has_value())
        return fail(ErrorCode::kConflict, fmt::format("trial '{}' has its verdict already", trial.text()));
    Run(turn, record).give_up(VerdictKind::kAborted, std::move(reason));
    return {};
}

void advance_trials(Turn& turn) {
    std::vector<TrialId> running;
    for (const auto& [id, record] : turn.fleet.trials) {
        if (record.status.state != TrialState::kEnded) running.push_back(id);
    }
    for (const TrialId& id : running) {
        Run run(turn, turn.fleet.trials.at(id));
        while (run.advance()) {
        }
    }
}

}  // namespace penumbra::coordinator
