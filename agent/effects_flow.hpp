#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/holds.hpp"
#include "agent/news.hpp"
#include "base/clock.hpp"
#include "effects/engine.hpp"
#include "hypervisor/ports.hpp"
#include "proto/model/policy.hpp"

namespace penumbra::agent {

/// Effects as the coordinator orders them and holds as the other flows need them, over the one engine, which owns the
/// journal. Thread-bound; blocks.
class EffectsFlow final : public Holds {
 public:
    struct Parts {  ///< borrowed, all outlive the flow
        effects::Engine& engine;
        hypervisor::VmInventory& inventory;
        hypervisor::DomainTuning& tuning;
        std::function<Result<model::Policy>()> policy;  ///< root's, as it stands now
        const Clock& clock;
        Tell tell;
    };
    explicit EffectsFlow(Parts parts) : parts_(std::move(parts)) {}

    /// Once, before anything else: undoes what an earlier life left. Nothing is applied until that could be done.
    void start();
    /// Once a second: undoes what has outlived its lease, tells where effects stand, forgets what is long over.
    void tick();
    /// The arms that stand, as the shadow flow knows them: only there faults are done.
    void set_arms(std::vector<effects::SandboxedArm> arms) { arms_ = std::move(arms); }

    /// ApplyEffect, ConfirmEffect, RevertEffect, InspectVm; anything else is not for this flow.
    void execute(const model::Command& command);
    /// It was running when the agent died: what became of it.
    void recover(const model::Command& command);

    [[nodiscard]] Result<void> place(const model::EffectSpec& hold) override;
    [[nodiscard]] Result<void> prolong(const EffectId& hold, std::chrono::seconds lease) override;
    [[nodiscard]] Result<void> lift(const EffectId& hold, const std::string& why) override;
    /// Undoes whatever stands and forgets everything: `host clean`.
    [[nodiscard]] Result<void> lift_all(const std::string& why);

 private:
    [[nodiscard]] Result<void> ready();
    [[nodiscard]] Result<effects::Premises> premises();
    [[nodiscard]] Result<model::EffectSpec> by_uuid(model::EffectSpec effect);
    [[nodiscard]] Result<model::Outcome> do_it(const model::Command& command);
    [[nodiscard]] Result<std::string> inspect(const model::InspectVm& order);
    [[nodiscard]] std::optional<model::EffectStatus> status(const EffectId& effect) const;
    void tell_statuses();
    void forget_old();

    Parts parts_;
    std::vector<effects::SandboxedArm> arms_;
    std::optional<Error> not_recovered_ = Error{.code = ErrorCode::kUnavailable, .message = "the agent is starting"};
    std::vector<std::string> troubles_;
    std::map<EffectId, Instant> settled_since_;
};

}  // namespace penumbra::agent
