#include "hypervisor/shadow_domain.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "hypervisor/domain_xml.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Whatever a domain says: its shadow is well-formed, ours, and stands on nothing but what it was given.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace hypervisor = penumbra::hypervisor;
    const std::string_view xml(reinterpret_cast<const char*>(data), size);
    const auto facts = hypervisor::facts_in(xml);
    if (!facts.has_value()) return 0;
    hypervisor::ShadowPlace place{.shadow = penumbra::ShadowId("s"), .arm = penumbra::ArmId("a"), .scale = 0.5};
    for (const auto& disk : facts->disks)
        place.disks[disk.target] = "/o/overlay";
    for (const auto& nic : facts->nics)
        place.taps[nic.mac] = "tap0";
    place.copies = {.kernel = "/o/kernel", .initrd = "/o/initrd", .loader = "/o/loader", .nvram = "/o/nvram"};
    const auto shadow = hypervisor::shadow_domain(xml, place);
    if (!shadow.has_value()) return 0;
    ASSERT(hypervisor::is_shadow(shadow->xml).value_or(false));
    const auto made = hypervisor::facts_in(shadow->xml);
    ASSERT(made.has_value() && made->vm == shadow->vm && made->vcpus == shadow->vcpus);
    for (const auto& disk : made->disks)
        ASSERT(disk.source.empty() || disk.source == "/o/overlay");
    for (const auto& nic : made->nics)
        ASSERT(nic.target == "tap0" && nic.network.empty());
    return 0;
}
