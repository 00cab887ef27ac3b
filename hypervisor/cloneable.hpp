#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proto/model/host.hpp"

namespace penumbra::hypervisor {

/// Why a VM cannot be cloned, one sentence each with what to do; empty: it can. `facts` with sizes measured, `xml` its
/// live or, when it is off, its persistent configuration. Pure.
[[nodiscard]] std::vector<std::string> reasons_against_cloning(const model::VmFacts& facts, std::string_view xml);

}  // namespace penumbra::hypervisor
