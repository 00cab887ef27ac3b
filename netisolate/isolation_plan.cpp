#include "netisolate/isolation_plan.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/limits/network.hpp"

// The tables. 0 admits: nothing of the host, nothing that a bridge may not forward (IEEE 802.1Q table 8-1), no VLAN, no
// multicast source; a tap only with its own MAC. 1 is for frames of guests, 2 for frames of the trap. Rules look at
// in_port and addresses only: matches on later headers have been cached too wide before (CVE-2023-5366). An unknown
// address of a guest, production's included, goes to the trap; one of the trap goes nowhere.

namespace penumbra::netisolate {

namespace {

constexpr std::uint8_t kAdmission = 0;
constexpr std::uint8_t kFromGuests = 1;
constexpr std::uint8_t kFromTrap = 2;
constexpr std::uint64_t kCookieMark = 0x504e'0000'0000'0000;  // "PN"

Result<void> check(const SandboxSpec& spec) {
    if (spec.shadow.empty() || spec.arm.empty()) {
        return fail(ErrorCode::kInvalidArgument, "a sandbox needs the names of its shadow and arm");
    }
    const std::string name = fmt::format("sandbox {}/{}", spec.shadow.text(), spec.arm.text());
    if (spec.cards.empty() || spec.cards.size() > limits::kGuestPortsPerSandboxMax) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("{} has {} network cards; 1 to {} are possible", name,
                                                             spec.cards.size(), limits::kGuestPortsPerSandboxMax));
    }
    std::set<packet::MacAddress> seen;
    for (const GuestCard& card : spec.cards) {
        if ((card.mac.octets[0] & 1U) != 0) {
            return fail(ErrorCode::kInvalidArgument,
                        fmt::format("{}: {} is a multicast address, no card's own", name, card.mac.text()));
        }
        if (!seen.insert(card.mac).second) {
            return fail(ErrorCode::kInvalidArgument, fmt::format("{}: two cards have {}", name, card.mac.text()));
        }
    }
    return {};
}

class FlowProgram {
 public:
    explicit FlowProgram(std::uint64_t cookie) : cookie_(cookie) {}

    void add(std::uint8_t table, std::uint16_t priority, std::string match, std::vector<FlowAction> actions) {
        flows_.push_back({.key = {.table = table, .priority = priority, .match = std::move(match)},
                          .cookie = cookie_,
                          .actions = std::move(actions)});
    }
    [[nodiscard]] std::vector<Flow> take() {
        std::ranges::sort(flows_, {}, &Flow::key);
        return std::move(flows_);
    }

 private:
    std::uint64_t cookie_;
    std::vector<Flow> flows_;
};

std::vector<Flow> flows_of(const IsolationPlan& plan) {
    FlowProgram program(plan.cookie);
    program.add(kAdmission, kPlanPriorityMax, "in_port=LOCAL", {});
    program.add(kAdmission, 40000, "dl_dst=01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0", {});
    program.add(kAdmission, 40000, "vlan_tci=0x1000/0x1000", {});
    program.add(kAdmission, 40000, "dl_src=01:00:00:00:00:00/01:00:00:00:00:00", {});
    program.add(kAdmission, 1000, fmt::format("in_port={}", kTrapPortNumber), {goto_table(kFromTrap)});
    program.add(kAdmission, 0, "", {});

    std::vector<FlowAction> guests;
    for (const GuestPort& guest : plan.guests) {
        const std::string mac = guest.mac.text();
        program.add(kAdmission, 1000, fmt::format("in_port={},dl_src={}", guest.number, mac),
                    {goto_table(kFromGuests)});
        for (const std::uint8_t table : {kFromGuests, kFromTrap}) {
            program.add(table, 500, "dl_dst=" + mac, {output_to(guest.number)});
        }
        guests.push_back(output_to(guest.number));
    }
    const std::string group_address = "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00";
    program.add(kFromTrap, 400, group_address, guests);
    program.add(kFromTrap, 0, "", {});
    guests.push_back(output_to(kTrapPortNumber));
    program.add(kFromGuests, 400, group_address, std::move(guests));
    program.add(kFromGuests, 100, "", {output_to(kTrapPortNumber)});
    return program.take();
}

SwitchPort port_of(const IsolationPlan& plan, const std::string& name, std::uint16_t number) {
    return {.name = name, .owner = plan.owner, .requested_number = number, .number = number};
}

Bridge bridge_of(const IsolationPlan& plan, DatapathType datapath) {
    Bridge bridge{.name = plan.bridge,
                  .owner = plan.owner,
                  .settings = {.datapath = datapath, .fail_mode = FailMode::kSecure, .in_band_disabled = true}};
    bridge.ports.push_back(port_of(plan, plan.veth, kTrapPortNumber));
    for (const GuestPort& guest : plan.guests)
        bridge.ports.push_back(port_of(plan, guest.tap, guest.number));
    bridge.flows = flows_of(plan);
    return bridge;
}

std::vector<Link> links_of(const IsolationPlan& plan, const SandboxSpec& spec) {
    std::vector<Link> links;
    // On the userspace datapath Open vSwitch only listens on a device, and the host's own stack hears the same frames:
    // it would answer ARP and DHCP. As the port of a kernel bridge that stays down, the device is deaf to the host.
    LinkSettings host_end{.up = true, .arp = false, .ipv6 = false, .tx_checksum_offload = false};
    if (spec.datapath == DatapathType::kNetdev) {
        host_end.master = "pnq-" + short_name(plan.owner);
        links.push_back({.name = host_end.master,
                         .kind = LinkKind::kBridge,
                         .owner = plan.owner,
                         .settings = {.up = false, .arp = false, .ipv6 = false}});
    }
    links.push_back({.name = plan.veth,
                     .kind = LinkKind::kVeth,
                     .owner = plan.owner,
                     .peer = plan.trap,
                     .peer_space = plan.space,
                     .settings = host_end});
    Link trap{.name = plan.trap,
              .space = plan.space,
              .kind = LinkKind::kVeth,
              .owner = plan.owner,
              .peer = plan.veth,
              .settings = {.up = true, .tx_checksum_offload = false},
              .addresses = spec.trap_addresses};
    std::ranges::sort(trap.addresses);
    links.push_back(std::move(trap));
    // A guest's checksums are its card's business (off in the clone's XML): a tap has none to turn off.
    host_end.tx_checksum_offload = true;
    for (const GuestPort& guest : plan.guests) {
        links.push_back({.name = guest.tap, .kind = LinkKind::kTap, .owner = plan.owner, .settings = host_end});
    }
    return links;
}

}  // namespace

std::string short_name(std::string_view owner) {
    return sha256(owner).hex().substr(0, 8);
}

Result<IsolationPlan> plan_isolation(const SandboxSpec& spec) {
    TRY(check(spec));
    IsolationPlan plan{.owner = spec.shadow.text() + "/" + spec.arm.text()};
    const std::string name = short_name(plan.owner);
    plan.bridge = "pnb-" + name;
    plan.space = spec.shadow.text() + "." + spec.arm.text();
    plan.veth = "pnv-" + name;
    plan.trap = "trap0";
    plan.cookie = kCookieMark | std::stoul(name, nullptr, 16);
    for (std::size_t i = 0; i < spec.cards.size(); ++i) {
        plan.guests.push_back({.tap = fmt::format("pnt-{}-{}", name, i),
                               .number = static_cast<std::uint16_t>(kFirstGuestPortNumber + i),
                               .mac = spec.cards[i].mac});
        ASSERT(plan.guests.back().tap.size() <= limits::kInterfaceNameBytesMax);
    }
    plan.desired.bridges.push_back(bridge_of(plan, spec.datapath));
    plan.desired.links = links_of(plan, spec);
    plan.desired.spaces.push_back({.name = plan.space, .delivers_from = plan.trap});
    return plan;
}

}  // namespace penumbra::netisolate
