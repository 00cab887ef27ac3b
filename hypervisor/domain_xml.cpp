#include "hypervisor/domain_xml.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "hypervisor/xml_tree.hpp"

namespace penumbra::hypervisor {

namespace {

// <cputune>'s element -> libvirt's parameter name.
constexpr std::array<std::pair<const char*, const char*>, 9> kSchedulerElements = {{
    {"shares", "cpu_shares"},
    {"period", "vcpu_period"},
    {"quota", "vcpu_quota"},
    {"global_period", "global_period"},
    {"global_quota", "global_quota"},
    {"emulator_period", "emulator_period"},
    {"emulator_quota", "emulator_quota"},
    {"iothread_period", "iothread_period"},
    {"iothread_quota", "iothread_quota"},
}};

/// libvirt's <memory unit='KiB'>; it always writes KiB, other units are an operator's file.
Bytes memory_of(const pugi::xml_node& node) {
    const std::string_view unit = node.attribute("unit").as_string("KiB");
    const unsigned shift = unit == "b" || unit == "bytes" ? 0 : unit == "MiB" ? 20 : unit == "GiB" ? 30 : 10;
    return Bytes(static_cast<std::uint64_t>(node.text().as_ullong()) << shift);
}

model::DiskFacts disk_of(const pugi::xml_node& disk) {
    const pugi::xml_node source = disk.child("source");
    std::string place;
    for (const char* attribute : {"file", "dev", "volume", "name", "dir"}) {
        if (place.empty()) place = source.attribute(attribute).as_string();
    }
    return {.target = disk.child("target").attribute("dev").as_string(),
            .source = place,
            .format = disk.child("driver").attribute("type").as_string("raw"),
            .virtual_size = Bytes(0),
            .incremental = false,
            .encrypted = disk.child("encryption") || source.child("encryption")};
}

model::NicFacts nic_of(const pugi::xml_node& nic) {
    const pugi::xml_node source = nic.child("source");
    std::string network;
    for (const char* attribute : {"bridge", "network", "dev"}) {
        if (network.empty()) network = source.attribute(attribute).as_string();
    }
    // in lower case, as the rest of us writes it; an operator's file may have it either way
    std::string mac = nic.child("mac").attribute("address").as_string();
    std::ranges::transform(mac, mac.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return {.target = nic.child("target").attribute("dev").as_string(),
            .mac = std::move(mac),
            .network = network,
            .model = nic.child("model").attribute("type").as_string()};
}

/// Who else owns a domain's configuration, by the namespace of the <metadata> they leave in it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kManagers = {{
    {"http://openstack.org/xmlns/libvirt/nova/", "OpenStack Nova"},
    {"http://ovirt.org/vm/", "oVirt"},
    {"http://opennebula.org/xmlns/libvirt/", "OpenNebula"},
    {"http://kubevirt.io", "KubeVirt"},
}};

/// Every namespace that <metadata>, or an element in it, declares.
std::vector<std::string_view> namespaces_of_metadata(const pugi::xml_node& domain) {
    std::vector<std::string_view> namespaces;
    const auto read = [&](const pugi::xml_node& node) {
        for (const pugi::xml_attribute& attribute : node.attributes()) {
            const std::string_view name = attribute.name();
            if (name == "xmlns" || name.starts_with("xmlns:")) namespaces.emplace_back(attribute.value());
        }
    };
    const pugi::xml_node metadata = domain.child("metadata");
    read(metadata);
    for (const pugi::xml_node& mark : metadata.children())
        read(mark);
    return namespaces;
}

std::string manager_of(const pugi::xml_node& domain) {
    for (const std::string_view name : namespaces_of_metadata(domain))
        for (const auto& [begin, manager] : kManagers)
            if (name.starts_with(begin)) return std::string(manager);
    return {};
}

}  // namespace

Result<model::VmFacts> facts_in(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node domain = TRY(parse_root(document, xml, "domain"));
    model::VmFacts facts;
    facts.vm = TRY(VmId::parse(domain.child_value("uuid")));
    facts.name = domain.child_value("name");
    // of 4 that can be plugged in, 2 may be
    facts.vcpus = domain.child("vcpu").attribute("current").as_uint(domain.child("vcpu").text().as_uint());
    facts.memory = memory_of(domain.child("memory"));
    for (const pugi::xml_node& disk : domain.child("devices").children("disk"))
        facts.disks.push_back(disk_of(disk));
    for (const pugi::xml_node& nic : domain.child("devices").children("interface"))
        facts.nics.push_back(nic_of(nic));
    facts.managed_by = manager_of(domain);
    return facts;
}

Result<std::vector<std::string>> disk_targets(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node domain = TRY(parse_root(document, xml, "domain"));
    std::vector<std::string> disks;
    for (const pugi::xml_node& disk : domain.child("devices").children("disk"))
        disks.emplace_back(disk.child("target").attribute("dev").as_string());
    return disks;
}

Result<std::vector<std::string>> tunable_disks(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node domain = TRY(parse_root(document, xml, "domain"));
    std::vector<std::string> disks;
    for (const pugi::xml_node& disk : domain.child("devices").children("disk")) {
        if (disk.child("source")) disks.emplace_back(disk.child("target").attribute("dev").as_string());
    }
    return disks;
}

Result<SchedulerVector> scheduler_in(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node domain = TRY(parse_root(document, xml, "domain"));
    SchedulerVector vector;
    for (const auto& [element, name] : kSchedulerElements) {
        const pugi::xml_node node = domain.child("cputune").child(element);
        if (node) vector[name] = node.text().as_llong();
    }
    return vector;
}

Result<std::string> with_scheduler(std::string_view xml, const SchedulerVector& vector) {
    pugi::xml_document document;
    pugi::xml_node domain = TRY(parse_root(document, xml, "domain", pugi::parse_full));
    pugi::xml_node cputune = domain.child("cputune");
    if (!cputune) cputune = domain.append_child("cputune");
    for (const auto& [element, name] : kSchedulerElements) {
        cputune.remove_child(element);
        const auto value = vector.find(name);
        if (value != vector.end()) append_text(cputune, element, fmt::to_string(value->second));
    }
    if (!cputune.first_child()) domain.remove_child(cputune);
    return text_of(document);
}

Result<bool> is_shadow(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node domain = TRY(parse_root(document, xml, "domain"));
    return std::ranges::any_of(namespaces_of_metadata(domain),
                               [](std::string_view name) { return name == kShadowMark; });
}

Result<std::string> manager_in(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node domain = TRY(parse_root(document, xml, "domain"));
    return manager_of(domain);
}

}  // namespace penumbra::hypervisor
