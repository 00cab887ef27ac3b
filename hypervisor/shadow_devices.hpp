#pragma once

#include <cstdint>

#include <pugixml.hpp>

#include "base/result.hpp"
#include "hypervisor/shadow_domain.hpp"
#include "hypervisor/xml_whitelist.hpp"

namespace penumbra::hypervisor {

/// Appends to `to` the <devices> of a shadow for those of production: part of shadow_domain(), which says the rules.
[[nodiscard]] Result<void> append_shadow_devices(const pugi::xml_node& devices, pugi::xml_node to,
                                                 const ShadowPlace& place, Gaps& gaps);

}  // namespace penumbra::hypervisor
