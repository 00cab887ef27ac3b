#include "hypervisor/shadow_devices.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "hypervisor/xml_tree.hpp"

namespace penumbra::hypervisor {

namespace {

constexpr std::string_view kAgentChannel = "org.qemu.guest_agent.0";

struct Rewriting {
    pugi::xml_node to;
    const ShadowPlace& place;
    Gaps& gaps;
    unsigned serials = 0;
    unsigned consoles = 0;
};

using Rewrite = Result<void> (*)(const pugi::xml_node&, Rewriting&);

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// A share of a limit, never so small that it would mean "no limit".
std::uint64_t scaled(std::uint64_t limit, double scale) {
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(static_cast<double>(limit) * scale)));
}

/// Rates shrink with the shadow; lengths of bursts and the size of one request do not.
void scale_iotune(const pugi::xml_node& from, pugi::xml_node disk, double scale) {
    constexpr std::array<std::string_view, 6> kRates{"total_bytes_sec", "read_bytes_sec", "write_bytes_sec",
                                                     "total_iops_sec",  "read_iops_sec",  "write_iops_sec"};
    pugi::xml_node iotune;
    for (const pugi::xml_node& limit : from.children()) {
        const std::string_view name = limit.name();
        const auto is_rate = [&](std::string_view rate) { return name == rate || name == fmt::format("{}_max", rate); };
        const bool rate = std::ranges::any_of(kRates, is_rate);
        const bool length = name.ends_with("_sec_max_length") || name == "size_iops_sec";
        const std::uint64_t value = limit.text().as_ullong();
        if ((!rate && !length) || value == 0) continue;
        if (!iotune) iotune = disk.append_child("iotune");
        append_text(iotune, limit.name(), fmt::to_string(rate ? scaled(value, scale) : value));
    }
}

void empty_drive(const pugi::xml_node& from, std::string_view device, Rewriting& rewriting) {
    pugi::xml_node disk = copy_whitelisted(from, rewriting.to, "disk", rewriting.gaps);
    disk.remove_child("driver");
    set_attribute(disk, "type", "file");
    set_attribute(disk, "device", std::string(device));
    if (from.child("source"))
        rewriting.gaps.add(fmt::format("the medium in drive {} is left out: the drive is empty",
                                       from.child("target").attribute("dev").as_string()));
}

Result<void> rewrite_disk(const pugi::xml_node& from, Rewriting& rewriting) {
    const std::string_view device = from.attribute("device").as_string("disk");
    const std::string target = from.child("target").attribute("dev").as_string();
    if (device == "cdrom" || device == "floppy") {
        empty_drive(from, device, rewriting);
        return {};
    }
    const auto overlay = rewriting.place.disks.find(target);
    if (overlay == rewriting.place.disks.end())
        return fail(ErrorCode::kInvalidArgument, fmt::format("disk {} has no overlay to stand on", target));
    pugi::xml_node disk = copy_whitelisted(from, rewriting.to, "disk", rewriting.gaps);
    set_attribute(disk, "type", "file");
    set_attribute(disk, "device", "disk");
    if (!disk.child("driver")) disk.prepend_child("driver");
    set_attribute(disk.child("driver"), "name", "qemu");
    set_attribute(disk.child("driver"), "type", "qcow2");
    set_attribute(disk.append_child("source"), "file", overlay->second.string());
    scale_iotune(from.child("iotune"), disk, rewriting.place.scale);
    if (device != "disk")
        rewriting.gaps.add(fmt::format("disk {} is a passed-through device; the shadow's is a file", target));
    if (from.child("shareable"))
        rewriting.gaps.add(fmt::format("disk {} is shared with other machines; the shadow has it alone", target));
    if (from.child("encryption") || from.child("source").child("encryption"))
        rewriting.gaps.add(fmt::format("disk {} is encrypted by the host; the shadow's is not", target));
    return {};
}

Result<void> rewrite_interface(const pugi::xml_node& from, Rewriting& rewriting) {
    const std::string mac = lower(from.child("mac").attribute("address").as_string());
    const auto tap = rewriting.place.taps.find(mac);
    if (tap == rewriting.place.taps.end())
        return fail(ErrorCode::kInvalidArgument, fmt::format("card {} has no tap in the sandbox", mac));
    pugi::xml_node card = copy_whitelisted(from, rewriting.to, "interface", rewriting.gaps);
    // The tap is the sandbox's: libvirt neither makes it nor plugs it in anywhere.
    set_attribute(card, "type", "ethernet");
    const pugi::xml_node target = card.append_child("target");
    set_attribute(target, "dev", tap->second);
    set_attribute(target, "managed", "no");
    const std::string_view type = from.attribute("type").as_string();
    if (type == "hostdev" || type == "vdpa") {
        if (!card.child("model")) set_attribute(card.append_child("model"), "type", "virtio");
        rewriting.gaps.add(fmt::format("card {} is a device of the host; the shadow's is emulated", mac));
    }
    if (type == "vhostuser")
        rewriting.gaps.add(fmt::format("card {} is served by another process of the host; the shadow's by a tap", mac));
    if (from.child("bandwidth"))
        rewriting.gaps.add(fmt::format("the limits of card {} are left out: the shadow's has none", mac));
    if (from.child("driver").attribute("queues").as_uint(1) > 1)
        rewriting.gaps.add(fmt::format("card {} has several queues; the shadow's has one", mac));
    return {};
}

/// Whatever it was connected to, it ends in a pty: what nobody reads is dropped there.
Result<void> rewrite_serial(const pugi::xml_node& from, Rewriting& rewriting) {
    if (rewriting.serials++ == 0) {
        set_attribute(copy_whitelisted(from, rewriting.to, "serial", rewriting.gaps), "type", "pty");
    } else {
        rewriting.gaps.add("only the first serial port is there");
    }
    return {};
}

Result<void> rewrite_console(const pugi::xml_node& from, Rewriting& rewriting) {
    if (rewriting.consoles++ == 0)
        set_attribute(copy_whitelisted(from, rewriting.to, "console", rewriting.gaps), "type", "pty");
    return {};
}

Result<void> rewrite_channel(const pugi::xml_node& from, Rewriting& rewriting) {
    const std::string_view name = from.child("target").attribute("name").as_string();
    if (name != kAgentChannel) {
        rewriting.gaps.add(fmt::format("channel {} to the host is left out", name));
        return {};
    }
    // Without a source libvirt makes a socket of the clone's own.
    set_attribute(copy_whitelisted(from, rewriting.to, "channel", rewriting.gaps), "type", "unix");
    return {};
}

Result<void> rewrite_controller(const pugi::xml_node& from, Rewriting& rewriting) {
    if (std::string_view(from.attribute("type").as_string()) == "xenbus") return {};
    copy_whitelisted(from, rewriting.to, "controller", rewriting.gaps);
    return {};
}

Result<void> rewrite_input(const pugi::xml_node& from, Rewriting& rewriting) {
    const std::string_view type = from.attribute("type").as_string();
    if (type == "passthrough" || type == "evdev") {
        rewriting.gaps.add("an input device of the host is left out");
    } else {
        copy_whitelisted(from, rewriting.to, "input", rewriting.gaps);
    }
    return {};
}

Result<void> rewrite_watchdog(const pugi::xml_node& from, Rewriting& rewriting) {
    set_attribute(copy_whitelisted(from, rewriting.to, "watchdog", rewriting.gaps), "action", "none");
    return {};
}

Result<void> rewrite_rng(const pugi::xml_node& from, Rewriting& rewriting) {
    pugi::xml_node rng = copy_whitelisted(from, rewriting.to, "rng", rewriting.gaps);
    const pugi::xml_node backend = rng.append_child("backend");
    set_attribute(backend, "model", "builtin");
    return {};
}

Result<void> rewrite_tpm(const pugi::xml_node& from, Rewriting& rewriting) {
    const pugi::xml_node backend = from.child("backend");
    if (std::string_view(backend.attribute("type").as_string()) != "emulator") {
        rewriting.gaps.add("the host's TPM is left out: what is sealed by it cannot be opened");
        return {};
    }
    const pugi::xml_node emulator = copy_whitelisted(from, rewriting.to, "tpm", rewriting.gaps).append_child("backend");
    set_attribute(emulator, "type", "emulator");
    const std::string_view version = backend.attribute("version").as_string();
    if (version == "1.2" || version == "2.0") set_attribute(emulator, "version", std::string(version));
    rewriting.gaps.add("the TPM is a blank one: what is sealed by production's cannot be opened");
    return {};
}

/// What the guest can hardly tell from its absence, since nobody looks at a shadow's screen.
Result<void> drop_silently(const pugi::xml_node&, Rewriting&) {
    return {};
}

template <const char* const& Name>
Result<void> copy_plainly(const pugi::xml_node& from, Rewriting& rewriting) {
    copy_whitelisted(from, rewriting.to, Name, rewriting.gaps);
    return {};
}

constexpr const char* kVideo = "video";
constexpr const char* kMemballoon = "memballoon";
constexpr const char* kPanic = "panic";
constexpr const char* kIommu = "iommu";

struct Rule {
    std::string_view element;
    Rewrite rewrite;
};

// Every device that a shadow may have; what is not in here is reported.
constexpr std::array kRules = std::to_array<Rule>({
    {"disk", rewrite_disk},
    {"controller", rewrite_controller},
    {"interface", rewrite_interface},
    {"serial", rewrite_serial},
    {"console", rewrite_console},
    {"channel", rewrite_channel},
    {"input", rewrite_input},
    {"video", copy_plainly<kVideo>},
    {"watchdog", rewrite_watchdog},
    {"memballoon", copy_plainly<kMemballoon>},
    {"rng", rewrite_rng},
    {"panic", copy_plainly<kPanic>},
    {"iommu", copy_plainly<kIommu>},
    {"tpm", rewrite_tpm},
    {"emulator", drop_silently},
    {"graphics", drop_silently},
    {"audio", drop_silently},
    {"hub", drop_silently},
});

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kReasons = {{
    {"hostdev", "a device of the host that is passed through is left out"},
    {"filesystem", "a folder shared with the host is left out: what the guest mounts from it is missing"},
    {"shmem", "memory shared with other machines is left out"},
    {"memory", "memory modules that were plugged in are left out"},
    {"redirdev", "redirected USB devices are left out"},
    {"vsock", "the socket to the host (vsock) is left out"},
    {"sound", "the sound card is left out"},
    {"smartcard", "the smartcard reader is left out"},
}};

void report(std::string_view name, Gaps& gaps) {
    const auto known = std::ranges::find(kReasons, name, [](const auto& reason) { return reason.first; });
    gaps.add(known != kReasons.end()
                 ? std::string(known->second)
                 : fmt::format("device <{}> is left out: it is not among what a shadow may have", name));
}

}  // namespace

Result<void> append_shadow_devices(const pugi::xml_node& devices, pugi::xml_node to, const ShadowPlace& place,
                                   Gaps& gaps) {
    Rewriting rewriting{.to = to.append_child("devices"), .place = place, .gaps = gaps};
    for (const pugi::xml_node& device : devices.children()) {
        if (device.type() != pugi::node_element) continue;
        const auto rule = std::ranges::find(kRules, std::string_view(device.name()), &Rule::element);
        if (rule == kRules.end()) {
            report(device.name(), gaps);
        } else {
            TRY(rule->rewrite(device, rewriting));
        }
    }
    return {};
}

}  // namespace penumbra::hypervisor
