#include "systemd/fake/fake_unit_control.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace penumbra::systemd::fake {

namespace {
constexpr std::string_view kTimerSuffix = ".timer";
}

Result<void> FakeUnitControl::check_answers() const {
    if (answers_) return {};
    return fail(ErrorCode::kUnavailable, "systemd cannot be reached over D-Bus");
}

Result<void> FakeUnitControl::start(std::string_view unit) {
    TRY(check_answers());
    const auto known = std::ranges::find_if(known_, [&](const auto& item) { return unit.starts_with(item.first); });
    if (known == known_.end()) {
        return fail(ErrorCode::kNotFound, fmt::format("starting {}: no such unit", unit));
    }
    units_.insert_or_assign(std::string(unit), known->second ? UnitState::kActive : UnitState::kFailed);
    if (known->second) return {};
    return fail(ErrorCode::kInternal, fmt::format("starting {}: the job ended with 'failed'", unit));
}

Result<void> FakeUnitControl::stop(std::string_view unit) {
    TRY(check_answers());
    if (const auto found = units_.find(unit); found != units_.end() && found->second != UnitState::kFailed) {
        units_.erase(found);
    }
    return {};
}

Result<UnitState> FakeUnitControl::state(std::string_view unit) {
    TRY(check_answers());
    if (unit.ends_with(kTimerSuffix)) {
        const auto timer = timers_.find(unit.substr(0, unit.size() - kTimerSuffix.size()));
        return timer != timers_.end() && !timer->second.elapsed ? UnitState::kActive : UnitState::kInactive;
    }
    const auto found = units_.find(unit);
    return found == units_.end() ? UnitState::kInactive : found->second;
}

Result<void> FakeUnitControl::start_timer(const TransientTimer& timer) {
    TRY(check_answers());
    if (timer.command.empty()) return fail(ErrorCode::kInvalidArgument, "a timer needs a command to run");
    if (!timers_.try_emplace(timer.name, Armed{.timer = timer, .due = clock_.now() + timer.after}).second) {
        return fail(ErrorCode::kAlreadyExists, fmt::format("starting {}.timer: it is loaded already", timer.name));
    }
    return {};
}

Result<void> FakeUnitControl::stop_timer(std::string_view name) {
    TRY(check_answers());
    if (const auto found = timers_.find(name); found != timers_.end() && !found->second.elapsed) timers_.erase(found);
    return {};
}

void FakeUnitControl::fire_due() {
    std::vector<std::string> due;
    for (const auto& [name, armed] : timers_)
        if (armed.due <= clock_.now()) due.push_back(name);
    for (const std::string& name : due) {
        Armed& armed = timers_.at(name);
        armed.elapsed = true;
        const Outcome outcome = run_(armed.timer.command);
        if (outcome == Outcome::kDone) {
            timers_.erase(name);
            continue;
        }
        const auto ran = outcome == Outcome::kHangs ? armed.timer.run_max : std::chrono::microseconds(0);
        armed.due = clock_.now() + ran + armed.timer.retry_interval;
    }
}

}  // namespace penumbra::systemd::fake
