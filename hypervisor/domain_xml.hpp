#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "hypervisor/ports.hpp"
#include "proto/model/host.hpp"

/// What we read from and write into libvirt's domain XML (https://libvirt.org/formatdomain.html). Pure.
namespace penumbra::hypervisor {

/// UUID, name, vCPUs, memory, disks, NICs and who manages it as the XML says them; sizes, reasons and `cloneable` are
/// left to the caller.
[[nodiscard]] Result<model::VmFacts> facts_in(std::string_view xml);

/// Target names of all disks, drives without a medium included.
[[nodiscard]] Result<std::vector<std::string>> disk_targets(std::string_view xml);
/// Target names of the disks that can have limits: every one with a source.
[[nodiscard]] Result<std::vector<std::string>> tunable_disks(std::string_view xml);

/// The <cputune> parameters that are written down, in libvirt's names; defaults are not among them.
[[nodiscard]] Result<SchedulerVector> scheduler_in(std::string_view xml);
/// The same XML with exactly these <cputune> parameters; pinning and all else stay.
[[nodiscard]] Result<std::string> with_scheduler(std::string_view xml, const SchedulerVector& vector);

/// Whether the domain carries our mark (kShadowMark).
[[nodiscard]] Result<bool> is_shadow(std::string_view xml);
/// Who else owns this configuration ("OpenStack Nova", "oVirt", ...), and would not know of a change made beside it;
/// empty: nobody that is known here.
[[nodiscard]] Result<std::string> manager_in(std::string_view xml);

}  // namespace penumbra::hypervisor
