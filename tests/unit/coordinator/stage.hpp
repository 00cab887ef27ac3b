#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/core/coordinator_core.hpp"
#include "tests/support/core_store.hpp"

namespace penumbra::coordinator {

/// One coordinator core on a store, and one host, hv1, that runs production's VM shop and the shadow s1 with two arms,
/// in virtual time. The host does what it is told once, keeps its results until they are acknowledged, undoes effects
/// when their lease ends, and measures a window of every vantage each second.
class Stage {
 public:
    Stage();

    /// Asks, and says what came of it.
    model::api::ReplyBody ask(Ask ask);
    /// Passes seconds until `done`, at most `most`; false if it never was.
    [[nodiscard]] bool pass_until(const std::function<bool()>& done, int most = 1200);
    void pass(int seconds_count);
    /// The coordinator dies and starts again on its store; what was on its way is lost.
    void restart();
    /// The host takes every effect back by itself, and says so.
    void undo_effects(const std::string& why);

    [[nodiscard]] const Fleet& fleet() const { return core_->fleet(); }
    [[nodiscard]] const model::TrialStatus& trial(const std::string& name) const;
    [[nodiscard]] const model::RolloutStatus& rollout(const std::string& name) const;
    [[nodiscard]] const CoreStore& store() const noexcept { return store_; }
    [[nodiscard]] std::vector<std::string> standing() const;

    /// The coordinator dies once, as soon as this holds: before the host hears what was sent last, or after it did it
    /// and before its report arrives.
    enum class Death : unsigned char { kBeforeTheDeed, kAfterTheDeed };
    void die_when(Death death, std::function<bool()> when);
    [[nodiscard]] bool died() const noexcept { return died_; }

    /// How much slower an arm or production answers while `effect` stands on it; 1: not at all.
    double harm = 1;
    double treated_always = 1;        ///< how much slower the treated arm is whatever stands
    double capacity_multiple = 1000;  ///< of the load, beyond which the treated arm answers ten times slower
    std::map<std::string, model::CommandReport> answers;  ///< by operation's name: instead of doing it
    bool somebody_changed_it = false;                     ///< reverting finds a conflict
    bool revert_leaves_a_trace = false;
    bool deaf = false;                  ///< the host hears and says nothing
    bool severed = false;               ///< the treated arm's taps are down
    std::vector<std::string> troubles;  ///< what the host says of itself
    std::vector<std::string> hints;

    std::map<std::string, int> done;  ///< how often each operation was done: "apply_effect on production", ...

 private:
    struct Standing {
        model::EffectSpec spec;
        model::EffectStatus status;
        Instant lease_ends{};
    };

    void step(const Event& event);
    void pump();
    [[nodiscard]] bool dies(Death death);
    void hear(const model::Envelope& envelope);
    void hello();
    void say(model::Body body);
    void say_state();
    void measure();
    void expire();
    void undo(Standing& effect, std::string why);
    model::KpiWindow window_of(const model::Vantage& vantage, double slowness, double multiple);
    model::CommandReport do_it(const model::Operation& operation);
    model::CommandReport do_effect(const model::Operation& operation);
    [[nodiscard]] std::string hash_of(bool production) const;
    [[nodiscard]] bool stands_on(bool production) const;

    Instant now_{std::chrono::hours(1)};
    WallTime wall_{std::chrono::hours(500'000)};
    Random random_{1};
    CoreStore store_;
    std::optional<CoordinatorCore> core_;
    std::deque<model::Envelope> to_host_;
    std::function<bool()> death_;
    Death when_ = Death::kBeforeTheDeed;
    bool died_ = false;
    std::optional<model::api::ReplyBody> answer_;
    std::uint64_t asked_ = 0;
    std::uint64_t hellos_ = 0;
    std::uint64_t version_ = 0;

    model::SessionId session_;
    std::map<CommandId, model::CommandReport> results_;
    std::map<EffectId, Standing> effects_;
    std::map<model::Vantage, std::uint64_t> sequences_;
    std::deque<model::KpiWindow> windows_;
    std::string trace_;
    bool replaying_ = false;
    double multiple_ = 1;
};

}  // namespace penumbra::coordinator
