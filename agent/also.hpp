#pragma once

#include <utility>

#include "base/result.hpp"

namespace penumbra::agent {

/// For work that goes on after an error: the first error stays the error, what else fails follows it.
inline void also(Result<void>& all, Result<void> one) {
    if (all.has_value()) {
        all = std::move(one);
    } else {
        follow_by(all, one);
    }
}

}  // namespace penumbra::agent
