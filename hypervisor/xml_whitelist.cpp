#include "hypervisor/xml_whitelist.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "hypervisor/xml_tree.hpp"

namespace penumbra::hypervisor {

namespace {

struct Element {
    std::string_view path;
    std::string_view attributes;  ///< separated by spaces; "#" admits text
};

// https://libvirt.org/formatdomain.html, 9.0. What shadow_domain and shadow_devices write themselves is not in here.
constexpr std::array kElements = std::to_array<Element>({
    {"os", "firmware"},
    {"os/type", "arch machine #"},
    {"os/firmware", ""},
    {"os/firmware/feature", "enabled name"},
    {"os/loader", "readonly secure type #"},
    {"os/boot", "dev"},
    {"os/bootmenu", "enable timeout"},
    {"os/smbios", "mode"},
    {"os/cmdline", "#"},
    {"sysinfo", "type"},
    {"sysinfo/bios", ""},
    {"sysinfo/bios/entry", "name #"},
    {"sysinfo/system", ""},
    {"sysinfo/system/entry", "name #"},
    {"sysinfo/baseBoard", ""},
    {"sysinfo/baseBoard/entry", "name #"},
    {"sysinfo/chassis", ""},
    {"sysinfo/chassis/entry", "name #"},
    {"sysinfo/oemStrings", ""},
    {"sysinfo/oemStrings/entry", "#"},
    {"features", ""},
    {"features/acpi", ""},
    {"features/apic", "eoi"},
    {"features/pae", ""},
    {"features/hap", "state"},
    {"features/pvspinlock", "state"},
    {"features/pmu", "state"},
    {"features/vmport", "state"},
    {"features/smm", "state"},
    {"features/smm/tseg", "unit #"},
    {"features/ioapic", "driver"},
    {"features/gic", "version"},
    {"features/kvm", ""},
    {"features/kvm/hidden", "state"},
    {"features/kvm/hint-dedicated", "state"},
    {"features/kvm/poll-control", "state"},
    {"features/kvm/pv-ipi", "state"},
    {"features/hyperv", "mode"},
    {"features/hyperv/relaxed", "state"},
    {"features/hyperv/vapic", "state"},
    {"features/hyperv/spinlocks", "state retries"},
    {"features/hyperv/vpindex", "state"},
    {"features/hyperv/runtime", "state"},
    {"features/hyperv/synic", "state"},
    {"features/hyperv/stimer", "state"},
    {"features/hyperv/stimer/direct", "state"},
    {"features/hyperv/reset", "state"},
    {"features/hyperv/vendor_id", "state value"},
    {"features/hyperv/frequencies", "state"},
    {"features/hyperv/reenlightenment", "state"},
    {"features/hyperv/tlbflush", "state"},
    {"features/hyperv/ipi", "state"},
    {"features/hyperv/evmcs", "state"},
    {"features/hyperv/avic", "state"},
    {"cpu", "mode match check migratable"},
    {"cpu/model", "fallback vendor_id #"},
    {"cpu/vendor", "#"},
    {"cpu/feature", "policy name"},
    {"cpu/cache", "level mode"},
    {"cpu/maxphysaddr", "mode bits"},
    {"clock", "offset timezone adjustment basis"},
    {"clock/timer", "name tickpolicy present track frequency mode"},
    {"clock/timer/catchup", "threshold slew limit"},
    {"on_poweroff", "#"},
    {"on_reboot", "#"},
    {"pm", ""},
    {"pm/suspend-to-mem", "enabled"},
    {"pm/suspend-to-disk", "enabled"},
    {"disk/driver", "cache discard detect_zeroes"},
    {"disk/target", "dev bus removable rotation_rate"},
    {"disk/serial", "#"},
    {"disk/wwn", "#"},
    {"disk/vendor", "#"},
    {"disk/product", "#"},
    {"disk/boot", "order"},
    {"disk/blockio", "logical_block_size physical_block_size"},
    {"disk/readonly", ""},
    {"controller", "type index model ports vectors"},
    {"controller/driver", ""},
    {"controller/model", "name"},
    {"controller/master", "startport"},
    {"controller/target", "chassis chassisNr port busNr hotplug"},
    {"controller/pcihole64", "unit #"},
    {"interface/mac", "address"},
    {"interface/model", "type"},
    {"interface/driver", ""},
    {"interface/driver/host", "csum gso tso4 tso6 ecn ufo mrg_rxbuf"},
    {"interface/driver/guest", "csum tso4 tso6 ecn ufo"},
    {"interface/mtu", "size"},
    {"interface/boot", "order"},
    {"interface/rom", "bar enabled"},
    {"interface/link", "state"},
    {"serial/target", "type port"},
    {"serial/target/model", "name"},
    {"console/target", "type port"},
    {"channel/target", "type name"},
    {"input", "type bus model"},
    {"video", ""},
    {"video/model", "type vram vram64 ram vgamem heads primary"},
    {"watchdog", "model"},
    {"memballoon", "model autodeflate freePageReporting"},
    {"rng", "model"},
    {"rng/rate", "bytes period"},
    {"panic", "model"},
    {"iommu", "model"},
    {"iommu/driver", "intremap caching_mode iotlb eim aw_bits"},
    {"tpm", "model"},
});

constexpr std::string_view kAddress =
    "type domain bus slot function multifunction controller target unit port iobase irq cssid ssid devno";

// Where something comes from on the host, how it is watched there, or what libvirt writes for itself: never passed on,
// and the guest sees no difference.
constexpr std::array kSilent = std::to_array<std::string_view>(
    {"source",      "alias",     "log",           "protocol",    "backingStore", "mirror",    "stats",
     "virtualport", "target",    "backenddomain", "privateData", "encryption",   "shareable", "transient",
     "iotune",      "backend",   "nvram",         "kernel",      "initrd",       "topology",  "numa",
     "script",      "filterref", "vlan",          "bandwidth",   "tune",         "port",      "portOptions"});

// Read-only and of the distribution, not of the VM.
constexpr std::array kSharedFolders = std::to_array<std::string_view>({"/usr/share/", "/usr/lib/"});

const Element* find(std::string_view path) {
    const auto found = std::ranges::find(kElements, path, &Element::path);
    return found == kElements.end() ? nullptr : &*found;
}

bool lists(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        if (words.substr(0, end) == word) return true;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

std::string_view last_of(std::string_view path) {
    return path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
}

bool admits(std::string_view path, std::string_view attribute) {
    if (last_of(path) == "address") return lists(kAddress, attribute);
    const Element* element = find(path);
    return element != nullptr && lists(element->attributes, attribute);
}

}  // namespace

void Gaps::add(std::string sentence) {
    if (said_.insert(sentence).second) sentences_.push_back(std::move(sentence));
}

bool is_whitelisted(std::string_view path) {
    return last_of(path) == "address" || find(path) != nullptr;
}

bool is_host_path(std::string_view value) {
    const std::size_t begin = value.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos || value[begin] != '/') return false;
    value.remove_prefix(begin);
    const bool shared = std::ranges::any_of(kSharedFolders, [&](auto folder) { return value.starts_with(folder); });
    return !shared || value.find("..") != std::string_view::npos;
}

pugi::xml_node copy_whitelisted(const pugi::xml_node& from, pugi::xml_node to, const std::string& path, Gaps& gaps) {
    pugi::xml_node copy = to.append_child(from.name());
    for (const pugi::xml_attribute& attribute : from.attributes()) {
        if (admits(path, attribute.name()) && !is_host_path(attribute.value()))
            set_attribute(copy, attribute.name(), attribute.value());
    }
    if (admits(path, "#") && !is_host_path(from.text().get())) copy.text().set(from.text().get());
    for (const pugi::xml_node& child : from.children()) {
        if (child.type() != pugi::node_element) continue;
        const std::string below = fmt::format("{}/{}", path, child.name());
        if (is_whitelisted(below)) {
            copy_whitelisted(child, copy, below, gaps);
        } else if (std::ranges::find(kSilent, std::string_view(child.name())) == kSilent.end()) {
            gaps.add(fmt::format("<{}> is left out: it is not among what a shadow may have", below));
        }
    }
    return copy;
}

}  // namespace penumbra::hypervisor
