#pragma once

#include <string>
#include <vector>

#include "proto/model/host.hpp"

namespace penumbra::hypervisor {

struct Cloneability {
    bool possible = false;
    std::vector<std::string>
        reasons;  ///< possible: what a shadow will lack at full size; otherwise why not, with what to do
};

/// Whether a VM can be cloned. `facts` with sizes measured, `xml` its live or, when it is off, its persistent
/// configuration. Pure.
[[nodiscard]] Cloneability cloneability_of(const model::VmFacts& facts, const std::string& xml);

}  // namespace penumbra::hypervisor
