#include "hypervisor/cloneable.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "hypervisor/shadow_domain.hpp"
#include "hypervisor/xml_tree.hpp"

namespace penumbra::hypervisor {

namespace {
bool is_volume(const pugi::xml_node& disk) {
    const std::string_view device = disk.attribute("device").as_string("disk");
    return device == "disk" && disk.child("source");
}

/// What is against a cut of its disks.
std::vector<std::string> reasons_against_cut(const model::VmFacts& facts, const pugi::xml_node& devices) {
    std::vector<std::string> reasons;
    if (!facts.running) reasons.emplace_back("it is off; a cut needs it running, start it");
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

/// The clone at full size, in a place that has all it may need.
Result<ShadowDomain> drafted(const model::VmFacts& facts, const std::string& xml) {
    ShadowPlace place{.copies = TRY(boot_files_in(xml))};
    for (const model::DiskFacts& disk : facts.disks)
        place.disks.emplace(disk.target, "overlay");
    for (const model::NicFacts& nic : facts.nics)
        place.taps.emplace(nic.mac, "tap");
    return shadow_domain(xml, place);
}

}  // namespace

Cloneability cloneability_of(const model::VmFacts& facts, const std::string& xml) {
    pugi::xml_document document;
    const Result<pugi::xml_node> domain = parse_root(document, xml, "domain");
    if (!domain.has_value()) return {.possible = false, .reasons = {domain.error().describe()}};
    std::vector<std::string> reasons = reasons_against_cut(facts, domain->child("devices"));
    Result<ShadowDomain> draft = drafted(facts, xml);
    if (!draft.has_value()) reasons.push_back(draft.error().describe());
    if (!reasons.empty()) return {.possible = false, .reasons = std::move(reasons)};
    return {.possible = true, .reasons = std::move(draft->gaps)};
}

}  // namespace penumbra::hypervisor
