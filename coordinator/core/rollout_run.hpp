#pragma once

#include <optional>
#include <string>

#include "coordinator/core/turn.hpp"
#include "coordinator/core/waiting.hpp"

namespace penumbra::coordinator {

/// One rollout under way in one step. Each state waits for one command's end, the shadow trial's, or time.
class RolloutRun {
 public:
    RolloutRun(Turn& turn, RolloutRecord& record) : turn_(turn), record_(record), status_(record.status) {}

    void begin();
    void confirm();
    void abort(std::string reason);
    /// True when it moved: then it may move again.
    bool advance();

 private:
    // one a state: what its command's end, or what the hosts say, leads to
    void inspected(const Ending& ending);
    bool shadow_trial();
    void shadow_inspected(const Ending& ending);
    void drill_applied(const Ending& ending);
    void drill_reverted(const Ending& ending);
    void drill_inspected(const Ending& ending);
    void applied(const Ending& ending);
    bool standing();
    void confirmed(const Ending& ending);
    void reverted(const Ending& ending);
    void finally_inspected(const Ending& ending);
    bool command_ended(const Ending& ending);

    // where to go
    void inspect(model::RolloutState state);
    void drill();
    void apply();
    void verify();
    void confirm_target();
    void next_wave();
    void decide(model::RolloutOutcome outcome, std::string reason);
    void unwind();
    void take_back();
    void end();

    void to(model::RolloutState state, std::string reason);
    bool send(model::RolloutState state, const HostId& host, std::string resource, model::Operation operation,
              std::string reason);
    bool send_to_target(model::RolloutState state, model::Operation operation, std::string reason);
    [[nodiscard]] model::RolloutTarget& target() { return status_.targets[status_.target]; }
    [[nodiscard]] std::string subject() const { return "rollout:" + status_.spec.rollout.text(); }
    [[nodiscard]] model::InspectVm treated_arm() const;
    [[nodiscard]] std::string broken_guard() const;
    [[nodiscard]] bool guards_covered() const;

    Turn& turn_;
    RolloutRecord& record_;
    model::RolloutStatus& status_;
};

}  // namespace penumbra::coordinator
