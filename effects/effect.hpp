#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "journal/entry.hpp"
#include "proto/model/effect.hpp"

namespace penumbra::effects {

using journal::Image;
using journal::Site;
using journal::Values;

enum class Layer : unsigned char { kLive, kPersistent };

/// What of a register is one effect's.
enum class Share : unsigned char {
    kValues,  ///< the values it changes, beside those of others: each is undone by itself
    kWhole,   ///< all of it, by a mark of its own: undone as a whole or not at all
};

/// Port: one kind of effect, as a register that can be read and written. What to write, when, and whether somebody
/// changed it meanwhile is decided once, in undo and engine, never here. Calls block; thread-bound.
class Effect {
 public:
    Effect() = default;
    Effect(const Effect&) = delete;
    Effect& operator=(const Effect&) = delete;
    Effect(Effect&&) = delete;
    Effect& operator=(Effect&&) = delete;
    virtual ~Effect() = default;

    /// The word of model::kind_of().
    [[nodiscard]] virtual std::string_view kind() const = 0;
    [[nodiscard]] virtual Share share() const = 0;
    /// What stands now. An error is never "nothing stands": kNotFound only where the object itself is gone.
    [[nodiscard]] virtual Result<Image> read(const model::EffectSpec& spec, const Site& site) = 0;
    /// What is to stand, from what stands: whole vectors, both layers. Refuses what cannot be. Reads only.
    [[nodiscard]] virtual Result<Image> intend(const model::EffectSpec& spec, const Site& site,
                                               const Image& before) = 0;
    /// Makes a layer hold exactly `values`. kInvalidArgument where they cannot stand beside each other, kConflict where
    /// the object was changed at this very moment: read and try again.
    [[nodiscard]] virtual Result<void> write(const model::EffectSpec& spec, const Site& site, Layer layer,
                                             const Values& values) = 0;
    /// SHA-256 (hex) of the whole object (design D18).
    [[nodiscard]] virtual Result<std::string> fingerprint(const model::EffectSpec& spec, const Site& site) = 0;
    /// Counters that move while the effect bites; empty where none tell.
    [[nodiscard]] virtual Result<Values> evidence(const model::EffectSpec& spec, const Site& site) = 0;
    /// Whether it can be confirmed, that is, made to stay: changes can, faults and holds cannot.
    [[nodiscard]] bool can_stay(const model::EffectSpec& spec) const noexcept {
        return model::class_of(spec) == model::EffectClass::kChange && spec.target.is_production();
    }
};

}  // namespace penumbra::effects
