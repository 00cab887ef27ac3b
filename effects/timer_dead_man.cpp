#include "effects/timer_dead_man.hpp"

#include <fmt/format.h>

#include "base/limits/effects.hpp"
#include "effects/places.hpp"

namespace penumbra::effects {

namespace {
// ':' may stand in an effect's name and in a unit's; '/' and '@' in neither: the name needs no escaping
// (systemd.unit(5)).
std::string unit_of(const EffectId& effect, std::uint32_t arming) {
    return fmt::format("penumbra-revert-{}-{}", effect.text(), arming);
}
}  // namespace

Result<void> TimerDeadMan::arm(const EffectId& effect, std::uint32_t arming, std::chrono::nanoseconds after) {
    const EffectId id = TRY(EffectId::parse(effect.text()));
    // A timer over a program that is not there would fire, and undo nothing.
    TRY(places::check_reverter(revert_binary_));
    return units_.start_timer({.name = unit_of(id, arming),
                               .description = fmt::format("Undo effect {} unless it is confirmed", id.text()),
                               .after = std::chrono::ceil<std::chrono::microseconds>(after),
                               .accuracy = limits::kDeadManAccuracy,
                               .retry_interval = limits::kDeadManRetryInterval,
                               .run_max = limits::kRevertRunMax,
                               .command = {revert_binary_.native(), "--journal", journal_.native(), id.text()}});
}

Result<void> TimerDeadMan::disarm(const EffectId& effect, std::uint32_t arming) {
    return units_.stop_timer(unit_of(effect, arming));
}

}  // namespace penumbra::effects
