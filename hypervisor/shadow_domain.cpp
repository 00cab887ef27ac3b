#include "hypervisor/shadow_domain.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/digest.hpp"
#include "base/limits/shadow.hpp"
#include "hypervisor/domain_xml.hpp"
#include "hypervisor/ports.hpp"
#include "hypervisor/shadow_devices.hpp"
#include "hypervisor/xml_tree.hpp"
#include "hypervisor/xml_whitelist.hpp"

namespace penumbra::hypervisor {

namespace {

constexpr std::int64_t kQuotaPeriodUs = 100'000;
constexpr std::int64_t kQuotaMinUs = 1'000;  // the kernel's least: Documentation/scheduler/sched-bwc
constexpr std::uint64_t kMemoryGrainBytes = 2ULL << 20U;

/// What is made of production's size.
struct Size {
    std::uint32_t vcpus = 0;
    std::int64_t quota_us = 0;  ///< of one vCPU; 0: no limit
    Bytes memory;
};

bool is_windows(const pugi::xml_node& domain) {
    return !domain.child("features").child("hyperv").empty();
}

/// CPUs that production's own limit leaves to each of its vCPUs, at most 1.
double share_of_vcpu(const pugi::xml_node& cputune) {
    const double quota = cputune.child("quota").text().as_double(-1);
    const double period = cputune.child("period").text().as_double(static_cast<double>(kQuotaPeriodUs));
    return quota > 0 && period > 0 ? std::min(1.0, quota / period) : 1.0;
}

Result<Size> size_of(const pugi::xml_node& domain, const model::VmFacts& facts, double scale, Gaps& gaps) {
    if (facts.vcpus == 0 || facts.memory == Bytes(0))
        return fail(ErrorCode::kInvalidArgument, fmt::format("VM {} has no vCPU or no memory", facts.name));
    Size size;
    const double cpus = facts.vcpus * share_of_vcpu(domain.child("cputune")) * scale;
    size.vcpus = std::max(1U, static_cast<std::uint32_t>(std::ceil(facts.vcpus * scale)));
    if (cpus < size.vcpus)
        size.quota_us = std::max(kQuotaMinUs, static_cast<std::int64_t>(kQuotaPeriodUs * cpus / size.vcpus));
    const std::uint64_t production = facts.memory.count();
    const std::uint64_t floor = std::min(
        production, is_windows(domain) ? limits::kShadowMemoryFloorWindowsBytes : limits::kShadowMemoryFloorBytes);
    const auto share = static_cast<std::uint64_t>(static_cast<double>(production) * scale);
    const std::uint64_t wanted = std::max(floor, share);
    const std::uint64_t rounded = (wanted + kMemoryGrainBytes - 1) / kMemoryGrainBytes * kMemoryGrainBytes;
    size.memory = Bytes(std::min(production, rounded));
    if (size.vcpus != facts.vcpus || size.quota_us != 0)
        gaps.add(fmt::format("{} vCPUs are {}, held to {:.2f} CPUs", facts.vcpus, size.vcpus, cpus));
    if (size.memory.count() != production)
        gaps.add(fmt::format("{} MiB of memory are {} MiB", production >> 20U, size.memory.count() >> 20U));
    if (floor > share) gaps.add("memory is at the least that its system needs, and so larger than the scale says");
    return size;
}

Result<void> check_supported(const pugi::xml_node& domain, const model::VmFacts& facts, const ShadowPlace& place) {
    const std::string_view type = domain.attribute("type").as_string();
    const auto refuse = [&](std::string_view why) {
        return fail(ErrorCode::kUnsupported, fmt::format("VM {} cannot be a shadow: {}", facts.name, why));
    };
    if (type != "kvm" && type != "qemu") return refuse("it does not run on QEMU");
    if (std::string_view(domain.child("os").child_value("type")) != "hvm") return refuse("it is no full machine (hvm)");
    if (domain.child("launchSecurity")) return refuse("its memory is encrypted for this host alone (launchSecurity)");
    if (!(place.scale > 0 && place.scale <= 1))
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("a shadow's scale is above 0 and at most 1, not {}", place.scale));
    return {};
}

void append_identity(pugi::xml_node to, const pugi::xml_node& domain, const ShadowPlace& place,
                     const ShadowDomain& shadow) {
    append_text(to, "name", shadow.name);
    append_text(to, "uuid", shadow.vm.text());
    if (domain.child("genid")) to.append_child("genid");  // a new one: the guest is told that it is a copy
    pugi::xml_node mark = to.append_child("metadata").append_child("penumbra:shadow");
    set_attribute(mark, "xmlns:penumbra", std::string(kShadowMark));
    set_attribute(mark, "shadow", place.shadow.text());
    set_attribute(mark, "arm", place.arm.text());
    set_attribute(mark, "of", domain.child_value("uuid"));
}

void append_size(pugi::xml_node to, const Size& size, const ShadowPlace& place) {
    for (const char* element : {"memory", "currentMemory"}) {
        set_attribute(append_text(to, element, fmt::to_string(size.memory.count() >> 10U)), "unit", "KiB");
    }
    append_text(to, "vcpu", fmt::to_string(size.vcpus));
    pugi::xml_node cputune = to.append_child("cputune");
    if (size.quota_us != 0) {
        append_text(cputune, "period", fmt::to_string(kQuotaPeriodUs));
        append_text(cputune, "quota", fmt::to_string(size.quota_us));
    }
    // Production's CPUs are never waited for by production because of an arm.
    pugi::xml_node idle = cputune.append_child("vcpusched");
    set_attribute(idle, "vcpus", size.vcpus == 1 ? "0" : fmt::format("0-{}", size.vcpus - 1));
    set_attribute(idle, "scheduler", "idle");
    if (!place.partition.empty()) append_text(to.append_child("resource"), "partition", place.partition);
}

BootFiles boot_files_of(const pugi::xml_node& os) {
    const std::string_view loader = os.child_value("loader");
    return {.kernel = os.child_value("kernel"),
            .initrd = os.child_value("initrd"),
            .loader = is_host_path(loader) ? loader : "",
            .nvram = os.child_value("nvram")};
}

Result<void> append_os(pugi::xml_node to, const pugi::xml_node& domain, const ShadowPlace& place, Gaps& gaps) {
    const pugi::xml_node os = domain.child("os");
    pugi::xml_node copy = copy_whitelisted(os, to, "os", gaps);
    const BootFiles needed = boot_files_of(os);
    const auto put = [&](const char* element, const std::filesystem::path& original,
                         const std::filesystem::path& own) -> Result<void> {
        if (original.empty()) return {};
        if (own.empty())
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("the VM boots by a file of the host ({}), and there is no copy of it", element));
        if (!copy.child(element)) copy.append_child(element);
        copy.child(element).text().set(own.c_str());
        return {};
    };
    TRY(put("loader", needed.loader, place.copies.loader));
    TRY(put("kernel", needed.kernel, place.copies.kernel));
    TRY(put("initrd", needed.initrd, place.copies.initrd));
    if (!os.child("nvram")) return {};
    if (!place.copies.nvram.empty()) append_text(copy, "nvram", place.copies.nvram.string());
    if (place.copies.nvram.empty()) gaps.add("the UEFI variables are blank ones");
    return {};
}

void append_sysinfo(pugi::xml_node to, const pugi::xml_node& domain, const VmId& vm, Gaps& gaps) {
    const pugi::xml_node sysinfo = domain.child("sysinfo");
    if (!sysinfo) return;
    if (std::string_view(sysinfo.attribute("type").as_string()) != "smbios") {
        gaps.add("firmware configuration given by files of the host is left out");
        return;
    }
    pugi::xml_node copy = copy_whitelisted(sysinfo, to, "sysinfo", gaps);
    for (pugi::xml_node entry : copy.child("system").children("entry")) {
        // libvirt demands that it be the domain's
        if (std::string_view(entry.attribute("name").as_string()) == "uuid") entry.text().set(vm.text().c_str());
    }
}

void append_cpu(pugi::xml_node to, const pugi::xml_node& domain, const Size& size, Gaps& gaps) {
    const pugi::xml_node cpu = domain.child("cpu");
    if (!cpu) return;
    pugi::xml_node copy = copy_whitelisted(cpu, to, "cpu", gaps);
    if (cpu.child("topology")) {
        pugi::xml_node topology = copy.append_child("topology");
        set_attribute(topology, "sockets", "1");
        set_attribute(topology, "cores", fmt::to_string(size.vcpus));
        set_attribute(topology, "threads", "1");
    }
    if (cpu.child("numa")) gaps.add("the guest's NUMA cells are left out: its memory is one piece");
}

// What the host decides anew for a shadow, and the guest does not see.
constexpr std::array kSilent = std::to_array<std::string_view>(
    {"name",          "uuid",     "genid",       "title",          "description",    "metadata",  "memory",
     "currentMemory", "vcpu",     "vcpus",       "cputune",        "resource",       "os",        "sysinfo",
     "features",      "cpu",      "clock",       "on_crash",       "on_poweroff",    "on_reboot", "pm",
     "devices",       "seclabel", "iothreadids", "bootloader",     "on_lockfailure", "perf",      "memtune",
     "blkiotune",     "numatune", "maxMemory",   "defaultiothread"});

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kReasons = {{
    {"memoryBacking", "memory is not backed as production's (huge pages, locked, shared)"},
    {"iothreads", "disks have no I/O threads of their own"},
}};

void report_left_out(const pugi::xml_node& domain, Gaps& gaps) {
    for (const pugi::xml_node& child : domain.children()) {
        const std::string_view name = child.name();
        if (child.type() != pugi::node_element || std::ranges::find(kSilent, name) != kSilent.end()) continue;
        const auto known = std::ranges::find(kReasons, name, [](const auto& reason) { return reason.first; });
        gaps.add(known != kReasons.end()
                     ? std::string(known->second)
                     : fmt::format("<{}> is left out: it is not among what a shadow may have", name));
    }
    const pugi::xml_node cputune = domain.child("cputune");
    if (cputune.child("vcpupin") || cputune.child("emulatorpin") || domain.child("vcpu").attribute("cpuset"))
        gaps.add("vCPUs are not pinned to CPUs of the host");
}

}  // namespace

Result<BootFiles> boot_files_in(std::string_view xml) {
    pugi::xml_document document;
    return boot_files_of(TRY(parse_root(document, xml, "domain")).child("os"));
}

std::string shadow_domain_name(const ShadowId& shadow, const ArmId& arm, std::string_view vm_name) {
    return fmt::format("{}-{}-{}", shadow.text(), arm.text(), vm_name);
}

VmId shadow_vm_id(const ShadowId& shadow, const ArmId& arm, const VmId& vm) {
    std::string hex =
        sha256(fmt::format("{} {} {} {}", kShadowMark, shadow.text(), arm.text(), vm.text())).hex().substr(0, 32);
    hex[12] = '8';  // RFC 9562: version 8, made by a rule of one's own; variant 10
    hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
    for (const std::size_t dash : {8U, 13U, 18U, 23U})
        hex.insert(dash, 1, '-');
    return VmId(hex);
}

Result<ShadowDomain> shadow_domain(std::string_view xml, const ShadowPlace& place) {
    pugi::xml_document document;
    const pugi::xml_node domain = TRY(parse_root(document, xml, "domain"));
    const model::VmFacts facts = TRY(facts_in(xml));
    TRY(check_supported(domain, facts, place));
    Gaps gaps;
    const Size size = TRY(size_of(domain, facts, place.scale, gaps));
    ShadowDomain shadow{.xml = {},
                        .name = shadow_domain_name(place.shadow, place.arm, facts.name),
                        .vm = shadow_vm_id(place.shadow, place.arm, facts.vm),
                        .vcpus = size.vcpus,
                        .memory = size.memory,
                        .gaps = {}};
    pugi::xml_document made;
    pugi::xml_node to = made.append_child("domain");
    set_attribute(to, "type", domain.attribute("type").as_string());
    append_identity(to, domain, place, shadow);
    append_size(to, size, place);
    append_sysinfo(to, domain, shadow.vm, gaps);
    TRY(append_os(to, domain, place, gaps));
    append_cpu(to, domain, size, gaps);
    for (const char* element : {"features", "clock", "on_poweroff", "on_reboot", "pm"})
        if (domain.child(element)) copy_whitelisted(domain.child(element), to, element, gaps);
    append_text(to, "on_crash", "destroy");  // a crashed arm is seen as gone, and its memory is the host's again
    TRY(append_shadow_devices(domain.child("devices"), to, place, gaps));
    report_left_out(domain, gaps);
    shadow.xml = text_of(made, "  ");
    shadow.gaps = std::move(gaps).take();
    return shadow;
}

}  // namespace penumbra::hypervisor
