#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace penumbra::hypervisor {

/// What a VM's configuration keeps in files beside its disks; a shadow needs copies of its own.
struct BootFiles {
    std::filesystem::path kernel;  ///< empty, all four: it has none
    std::filesystem::path initrd;
    std::filesystem::path loader;  ///< firmware that is not of the distribution
    std::filesystem::path nvram;   ///< UEFI variables
    friend bool operator==(const BootFiles&, const BootFiles&) = default;
};

[[nodiscard]] Result<BootFiles> boot_files_in(std::string_view xml);

/// Where one VM of one arm is to stand. Nothing in here is production's.
struct ShadowPlace {
    ShadowId shadow;
    ArmId arm;
    double scale = 1;                                    ///< 0 < scale <= 1
    std::map<std::string, std::filesystem::path> disks;  ///< target name -> its overlay, a qcow2 of this arm alone
    std::map<std::string, std::string> taps;  ///< MAC in lower case -> tap, made and plugged in before the start
    BootFiles copies;                         ///< needed where production has them; without nvram: blank variables
    std::string partition;                    ///< libvirt's name of the slice; empty: libvirt's own
};

struct ShadowDomain {
    std::string xml;   ///< for ShadowDomains::define()
    std::string name;  ///< shadow_domain_name()
    VmId vm;           ///< shadow_vm_id()
    std::uint32_t vcpus = 0;
    Bytes memory;
    std::vector<std::string> gaps;  ///< one sentence each: how it differs from production
};

/// Production's domain as an arm's: the same machine to the guest, scaled, and nothing of the host behind it. By
/// whitelist: an element that is not known is left out and named in `gaps`; kUnsupported where leaving it out would be
/// another machine (encrypted memory, not QEMU). kInvalidArgument: malformed, or `place` lacks a disk's overlay, a
/// card's tap, a kernel's copy. `xml` is what libvirt gives, live or inactive. Pure: equal input, equal output.
[[nodiscard]] Result<ShadowDomain> shadow_domain(std::string_view xml, const ShadowPlace& place);

/// Name and UUID of a VM's clone in an arm: the same again whenever they are asked for.
[[nodiscard]] std::string shadow_domain_name(const ShadowId& shadow, const ArmId& arm, std::string_view vm_name);
[[nodiscard]] VmId shadow_vm_id(const ShadowId& shadow, const ArmId& arm, const VmId& vm);

}  // namespace penumbra::hypervisor
