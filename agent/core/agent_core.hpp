#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/command_ledger.hpp"
#include "agent/core/contact.hpp"
#include "agent/core/events.hpp"
#include "agent/core/kpi_outbox.hpp"
#include "base/backoff.hpp"
#include "base/clock.hpp"

namespace penumbra::agent {

/// Who this agent is, for its Hello.
struct Identity {
    HostId host;
    std::string agent_version;
    std::string boot_id;
    std::string instance;  ///< new at every start of the process
};

/// The agent's decisions: contact, which command to take, what stands on this host, what must be sent again.
/// step() maps an event to actions, to be done in their order; time and randomness come in. Thread-bound, no I/O.
class AgentCore {
 public:
    /// `image` is the journal as found; the first step returns a Recover for what was running.
    AgentCore(Identity identity, const JournalImage& image, Instant now, Random& random);

    [[nodiscard]] Actions step(const Event& event, Instant now, Random& random);
    /// When a Tick is due at the latest.
    [[nodiscard]] Instant next_wake() const noexcept { return contact_.next_wake(); }

    [[nodiscard]] const Contact& contact() const noexcept { return contact_; }
    [[nodiscard]] const CommandLedger& ledger() const noexcept { return ledger_; }

 private:
    void on(const Tick& event);
    void on(const Received& event);
    void on(const Journalled& event);
    void on(const WorkerReported& event);
    void on(const FactsObserved& event);
    void on(const EffectsObserved& event);
    void on(const ShadowsObserved& event);
    void on(const HealthObserved& event);
    void on(const KpiMeasured& event);
    void on(const PolicyRead& event);
    void on(const Stopping& event);

    // what a coordinator says; only of the session this agent is in
    void take(const model::Welcome& welcome);
    void take(const model::Reset& reset, const model::SessionId& session);
    void take(const model::Command& command);
    void take(const model::HeartbeatAck& ack);
    void take(const model::ResultAck& ack);
    void take(const model::KpiAck& ack);

    void act();
    void hello();
    void heartbeat();
    void send(model::Body body);
    void send_report(CommandLedger::Entry& entry);
    void send_state();
    void send_kpi();
    void refuse(const model::Command& command, model::Rejection rejection, std::string message);
    void accepted(CommandLedger::Entry& entry);
    std::uint64_t journal(JournalRecord record);
    void note(std::string kind, std::string message);
    void observed();

    Identity identity_;
    Contact contact_;
    CommandLedger ledger_;
    KpiOutbox kpi_;
    model::Policy policy_;
    model::HostFacts facts_;
    std::vector<model::EffectStatus> effects_;
    std::vector<model::ShadowStatus> shadows_;
    bool effects_seen_ = false;
    bool shadows_seen_ = false;
    std::vector<std::string> troubles_;
    std::vector<std::string> hints_;
    std::uint32_t loop_lag_ms_ = 0;
    std::uint64_t state_version_ = 1;
    std::uint64_t journal_number_ = 0;
    bool recovered_ = false;

    // of the step under way
    Actions actions_;
    Instant now_{};
    Random* random_ = nullptr;
};

}  // namespace penumbra::agent
