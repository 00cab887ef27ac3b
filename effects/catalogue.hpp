#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <string>

#include <fmt/format.h>

#include "base/result.hpp"
#include "effects/effect.hpp"

namespace penumbra::effects {

/// The kinds of effect this process can do or undo; borrowed, each outlives the catalogue.
class Catalogue {
 public:
    Catalogue(std::initializer_list<std::reference_wrapper<Effect>> effects) {
        for (Effect& effect : effects)
            effects_.emplace(effect.kind(), &effect);
    }
    [[nodiscard]] Result<Effect*> find(const model::EffectSpec& spec) const {
        const auto found = effects_.find(model::kind_of(spec));
        if (found != effects_.end()) return found->second;
        return fail(ErrorCode::kUnsupported,
                    fmt::format("effects of kind {} are not done on this host", model::kind_of(spec)));
    }

 private:
    std::map<std::string, Effect*, std::less<>> effects_;
};

}  // namespace penumbra::effects
