#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits/effects.hpp"
#include "base/result.hpp"

namespace penumbra::systemd {

/// A timer that lives in systemd and not in a file: runs `command` once, `after` from now.
struct TransientTimer {
    std::string name;  ///< without ".timer"; the service it starts has the same name
    std::string description;
    std::chrono::microseconds after{0};
    std::chrono::microseconds accuracy{0};
    std::chrono::microseconds retry_interval{0};  ///< a command that fails is run again after this, without end
    std::chrono::microseconds run_max{0};         ///< a command that takes longer is killed: it has failed
    std::vector<std::string> command;             ///< absolute path first; no shell
};

enum class UnitState : unsigned char { kActive, kStarting, kStopping, kInactive, kFailed };

/// Port: the service manager, in our words. Units are named in full ("penumbra-sandbox@a1.service"). Blocks up to
/// limits::kUnitJobTimeout; thread-bound. Errors: kNotFound (no such unit), kUnavailable (systemd does not answer),
/// kInternal (the unit failed), kDeadlineExceeded.
class UnitControl {
 public:
    UnitControl() = default;
    UnitControl(const UnitControl&) = delete;
    UnitControl& operator=(const UnitControl&) = delete;
    UnitControl(UnitControl&&) = delete;
    UnitControl& operator=(UnitControl&&) = delete;
    virtual ~UnitControl() = default;

    /// Returns when the unit's start job is done (Type=notify: ready). A running one is a success.
    [[nodiscard]] virtual Result<void> start(std::string_view unit) = 0;
    /// Returns when it is stopped. One that is not loaded is a success.
    [[nodiscard]] virtual Result<void> stop(std::string_view unit) = 0;
    /// kInactive for one that nobody knows.
    [[nodiscard]] virtual Result<UnitState> state(std::string_view unit) = 0;
    /// kAlreadyExists when a timer of that name waits, or its command runs.
    [[nodiscard]] virtual Result<void> start_timer(const TransientTimer& timer) = 0;
    /// Takes a waiting timer away; its command, if it runs already, goes on. One that is not there is a success.
    [[nodiscard]] virtual Result<void> stop_timer(std::string_view name) = 0;
};

}  // namespace penumbra::systemd
