#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/units.hpp"

namespace penumbra::hypervisor {

/// What programs may still take without the host swapping: MemAvailable in the text of /proc/meminfo (proc(5)).
/// MemFree, which is what virNodeGetFreeMemory reports, leaves out the page cache, and on a host that has run for a
/// while that is most of it. kUnsupported when the text has no such line.
[[nodiscard]] Result<Bytes> memory_available(std::string_view meminfo);

}  // namespace penumbra::hypervisor
