#pragma once

#include <string>
#include <string_view>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "hypervisor/ports.hpp"

namespace penumbra::hypervisor {

/// The XML with whitespace, comments, quoting and the order of attributes made the same: equal text, equal meaning.
/// The order of elements is kept, it means something to libvirt. Malformed XML is kInvalidArgument. Pure.
[[nodiscard]] Result<std::string> canonical_xml(std::string_view xml);

/// SHA-256 over the canonical inactive XML and the full live parameter vectors (design D18). Left out because they
/// change without anybody's change: the domain's runtime id, limits that are 0 (libvirt reports "no limit" both ways).
[[nodiscard]] Result<Digest> config_hash(const DomainConfiguration& configuration);

}  // namespace penumbra::hypervisor
