#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "systemd/unit_control.hpp"

namespace penumbra::systemd::fake {

/// A service manager in memory: units become what their start says, timers fire when the test lets them. Outlives the
/// "process" that is cut. Thread-bound.
class FakeUnitControl final : public UnitControl {
 public:
    /// What came of a command that a timer ran.
    enum class Outcome : unsigned char { kDone, kFailed, kHangs };
    using Run = std::function<Outcome(const std::vector<std::string>&)>;

    /// `run` is called for each command that a timer starts.
    FakeUnitControl(const Clock& clock, Run run) : clock_(clock), run_(std::move(run)) {}

    /// Makes units known: all that begin with `prefix`, up to the @ of a template ("penumbra-sandbox@").
    void add_units(std::string prefix, bool start_works) { known_.insert_or_assign(std::move(prefix), start_works); }
    /// Every call is kUnavailable from here on, or no more.
    void answer(bool does) { answers_ = does; }
    /// Runs what is due now, failed commands again after their retry interval.
    void fire_due();

    [[nodiscard]] Result<void> start(std::string_view unit) override;
    [[nodiscard]] Result<void> stop(std::string_view unit) override;
    [[nodiscard]] Result<UnitState> state(std::string_view unit) override;
    [[nodiscard]] Result<void> start_timer(const TransientTimer& timer) override;
    [[nodiscard]] Result<void> stop_timer(std::string_view name) override;

 private:
    struct Armed {
        TransientTimer timer;
        Instant due;
        bool elapsed = false;  ///< the timer is gone, its command is tried until it is done
    };
    [[nodiscard]] Result<void> check_answers() const;

    const Clock& clock_;
    Run run_;
    bool answers_ = true;
    std::map<std::string, bool> known_;
    std::map<std::string, UnitState, std::less<>> units_;
    std::map<std::string, Armed, std::less<>> timers_;
};

}  // namespace penumbra::systemd::fake
