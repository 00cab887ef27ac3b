#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace penumbra::netisolate {

/// What a host's network is, observed or desired: plain values, compared and audited, never held by an adapter.
/// "Ours" is what carries an owner: external_ids:penumbra in OVSDB, the alias of a link. Nothing else is ever touched.

enum class ActionKind : unsigned char {
    kOutput,     ///< to the port numbered `operand`
    kGotoTable,  ///< forward only, by OpenFlow's own rule
    kNormal,
    kFlood,
    kAll,
    kInPort,
    kLocal,
    kController,
    kOther,  ///< everything else Open vSwitch can do
};

struct FlowAction {
    ActionKind kind = ActionKind::kOther;
    std::uint32_t operand = 0;
    std::string text;  ///< as ovs-ofctl writes it; for people, not compared
    friend bool operator==(const FlowAction& a, const FlowAction& b) {
        return a.kind == b.kind && a.operand == b.operand && (a.kind != ActionKind::kOther || a.text == b.text);
    }
};
[[nodiscard]] FlowAction output_to(std::uint16_t port);
[[nodiscard]] FlowAction goto_table(std::uint8_t table);

/// What makes a rule of a flow table that rule: OpenFlow's identity. `match` is in Open vSwitch's canonical text.
struct FlowKey {
    std::uint8_t table = 0;
    std::uint16_t priority = 0;
    std::string match;
    friend auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

struct Flow {
    FlowKey key;
    std::uint64_t cookie = 0;
    std::vector<FlowAction> actions;       ///< empty: drop
    std::chrono::seconds hard_timeout{0};  ///< 0: stands until removed
    std::uint64_t packets = 0;             ///< observed
    [[nodiscard]] bool only_drops() const noexcept { return actions.empty(); }
    /// Same rule, same cookie, same actions; time and counters apart.
    [[nodiscard]] bool does_what(const Flow& other) const {
        return key == other.key && cookie == other.cookie && actions == other.actions;
    }
};
/// One line, as ovs-ofctl would write it: "table=0 priority=1000 in_port=2 actions=output:1".
[[nodiscard]] std::string describe(const Flow& flow);

enum class DatapathType : unsigned char { kSystem, kNetdev };
enum class FailMode : unsigned char { kStandalone, kSecure };

struct SwitchPort {
    std::string name;
    std::string type;  ///< Interface.type; empty: a device of the kernel
    std::string owner;
    std::uint16_t requested_number = 0;          ///< ofport_request; 0: none
    std::uint16_t number = 0;                    ///< observed; 0: not given yet, or the interface failed
    std::map<std::string, std::string> options;  ///< peer, remote_ip, ...
    std::uint32_t interfaces = 1;                ///< more than one: a bond
    friend bool operator==(const SwitchPort&, const SwitchPort&) = default;
};

/// A Mirror row. Whatever comes in on its output port is dropped before any table: that is the diode.
struct Mirror {
    std::string name;
    std::string owner;
    std::string output_port;
    std::vector<std::string> from_ports;  ///< select_src_port
    std::vector<std::string> to_ports;    ///< select_dst_port
    bool selects_all = false;
    friend bool operator==(const Mirror&, const Mirror&) = default;
};

struct BridgeSettings {
    DatapathType datapath = DatapathType::kSystem;
    FailMode fail_mode = FailMode::kStandalone;
    bool in_band_disabled = false;
    friend bool operator==(const BridgeSettings&, const BridgeSettings&) = default;
};

struct Bridge {
    std::string name;
    std::string owner;  ///< empty: somebody else's; then only our ports and mirrors on it are ours
    BridgeSettings settings;
    std::vector<std::string> controllers;
    std::vector<std::string> features;  ///< what else is switched on and talks: "stp_enable", "netflow", "sflow", ...
    std::vector<SwitchPort> ports;      ///< without the bridge's own LOCAL port
    std::vector<Mirror> mirrors;
    std::vector<Flow> flows;  ///< observed on bridges of ours only
};

enum class LinkKind : unsigned char { kOther, kVeth, kTap, kBridge };

struct LinkSettings {
    bool up = false;
    bool arp = true;
    bool ipv6 = true;
    bool tx_checksum_offload = true;
    std::string master;  ///< name of the link it is enslaved to; empty: none
    friend bool operator==(const LinkSettings&, const LinkSettings&) = default;
};

struct Link {
    std::string name;
    std::string space;  ///< namespace; empty: the host's own
    LinkKind kind = LinkKind::kOther;
    std::string owner;       ///< the link's alias, when it is one of ours
    std::string peer;        ///< desired veth: the other end, in `peer_space`
    std::string peer_space;  ///< see peer
    LinkSettings settings;
    std::vector<std::string> addresses;  ///< "192.0.2.1/24", sorted; link-local IPv6 left out
};

/// A namespace of ours, under the adapter's own folder.
struct Space {
    std::string name;
    std::string delivers_from;  ///< whatever comes in on this link is delivered locally (AnyIP); empty: no such rule
    friend bool operator==(const Space&, const Space&) = default;
};

struct NetworkState {
    std::vector<Bridge> bridges;
    std::vector<Link> links;
    std::vector<Space> spaces;

    [[nodiscard]] const Bridge* bridge(std::string_view name) const;
    [[nodiscard]] Bridge* bridge(std::string_view name);
    [[nodiscard]] const Link* link(std::string_view space, std::string_view name) const;
    [[nodiscard]] Link* link(std::string_view space, std::string_view name);
    [[nodiscard]] const Space* space(std::string_view name) const;
};

[[nodiscard]] const SwitchPort* find_port(const Bridge& bridge, std::string_view name);
[[nodiscard]] const Mirror* find_mirror(const Bridge& bridge, std::string_view name);

}  // namespace penumbra::netisolate
