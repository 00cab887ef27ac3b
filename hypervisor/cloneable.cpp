#include "hypervisor/cloneable.hpp"

#include <fmt/format.h>
#include <pugixml.hpp>

namespace penumbra::hypervisor {

namespace {
bool is_volume(const pugi::xml_node& disk) {
    const std::string_view device = disk.attribute("device").as_string("disk");
    return device == "disk" && disk.child("source");
}
}  // namespace

std::vector<std::string> reasons_against_cloning(const model::VmFacts& facts, std::string_view xml) {
    std::vector<std::string> reasons;
    if (!facts.running) reasons.emplace_back("it is off; a cut needs it running, start it");
    pugi::xml_document document;
    if (!document.load_buffer(xml.data(), xml.size())) {
        reasons.emplace_back("its configuration cannot be read; see `virsh dumpxml`");
        return reasons;
    }
    const pugi::xml_node devices = document.child("domain").child("devices");
    std::size_t volumes = 0;
    std::size_t index = 0;
    for (const pugi::xml_node& disk : devices.children("disk")) {
        const model::DiskFacts& facts_of_disk = facts.disks.at(index++);
        if (!is_volume(disk)) continue;  // a CD or floppy is left out of the shadow
        ++volumes;
        if (!facts_of_disk.incremental) {
            reasons.push_back(
                fmt::format("disk {} is {}, which keeps no dirty bitmap; convert it to qcow2 with compat 1.1",
                            facts_of_disk.target, facts_of_disk.format));
        }
        if (disk.child("shareable")) {
            reasons.push_back(fmt::format(
                "disk {} is shared with other machines, so a cut of it is no state of this one", facts_of_disk.target));
        }
    }
    if (volumes == 0) reasons.emplace_back("it has no disk to clone");
    return reasons;
}

}  // namespace penumbra::hypervisor
