#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/limits/network.hpp"
#include "base/result.hpp"
#include "netisolate/datapath_flow.hpp"
#include "netisolate/network_state.hpp"

namespace penumbra::netisolate {

// ---- what can be changed on a switch: values with inverses (network_step) ----

struct AddBridge {
    Bridge bridge;  ///< with its ports; flows are not part of it: a bundle brings them
};
struct RemoveBridge {
    Bridge bridge;
};
struct AddPort {
    std::string bridge;
    SwitchPort port;
};
struct RemovePort {
    std::string bridge;
    SwitchPort port;
};
/// Port and Mirror row together, so that the port is never an ordinary one that NORMAL floods to.
struct AddMirror {
    std::string bridge;
    SwitchPort port;
    Mirror mirror;
};
struct RemoveMirror {
    std::string bridge;
    SwitchPort port;
    Mirror mirror;
};
struct SetBridge {
    std::string bridge;
    BridgeSettings before;
    BridgeSettings after;
};
using SwitchChange = std::variant<AddBridge, RemoveBridge, AddPort, RemovePort, AddMirror, RemoveMirror, SetBridge>;

/// One atomic change of a bridge's flow tables. Removals come first; a rule with the same key is replaced.
struct FlowBundle {
    std::vector<FlowKey> remove;
    std::vector<std::uint64_t> remove_cookies;  ///< every rule with exactly this cookie
    std::vector<Flow> add;
};

/// Port: one host's Open vSwitch, in our words. Thread-bound and blocking; every call ends within
/// limits::kSwitchCallDeadline. Errors: kUnavailable (daemon down), kDeadlineExceeded, kNotFound (bridge, port),
/// kConflict (somebody changed or owns it), kInvalidArgument (a flow Open vSwitch does not take).
class SwitchControl {
 public:
    SwitchControl() = default;
    SwitchControl(const SwitchControl&) = delete;
    SwitchControl& operator=(const SwitchControl&) = delete;
    SwitchControl(SwitchControl&&) = delete;
    SwitchControl& operator=(SwitchControl&&) = delete;
    virtual ~SwitchControl() = default;

    /// What it calls itself, "ovs-vswitchd (Open vSwitch) 3.1.0", once its daemon and its database have answered.
    [[nodiscard]] virtual Result<std::string> version() = 0;

    /// Every bridge with ports and mirrors; no flows (see flows()).
    [[nodiscard]] virtual Result<std::vector<Bridge>> bridges() = 0;

    /// All or nothing, in one transaction; returns when the switch works by it, each port with its requested number.
    [[nodiscard]] virtual Result<void> transact(std::span<const SwitchChange> changes) = 0;

    /// Every rule of a bridge with its counters. Time-outs are as they were asked for, not what is left of them.
    [[nodiscard]] virtual Result<std::vector<Flow>> flows(std::string_view bridge) = 0;

    /// One atomic bundle: on any error nothing is changed.
    [[nodiscard]] virtual Result<void> apply(std::string_view bridge, const FlowBundle& bundle) = 0;

    /// What is installed in the datapaths this moment, of all bridges.
    [[nodiscard]] virtual Result<std::vector<DatapathFlow>> datapath_flows() = 0;

    /// Returns when every datapath flow obeys the rules of now: "committed" becomes "effective".
    [[nodiscard]] virtual Result<void> settle() = 0;
};

/// Port: links, namespaces and addresses of one host. Thread-bound and blocking. Every verb is idempotent: what is
/// already as asked is success. Errors: kNotFound, kConflict (a link of that name is not ours), kPermissionDenied.
class LinkControl {
 public:
    LinkControl() = default;
    LinkControl(const LinkControl&) = delete;
    LinkControl& operator=(const LinkControl&) = delete;
    LinkControl(LinkControl&&) = delete;
    LinkControl& operator=(LinkControl&&) = delete;
    virtual ~LinkControl() = default;

    /// Our namespaces, the host's links and theirs. Settings are read in full only of links with an owner.
    [[nodiscard]] virtual Result<NetworkState> observe() = 0;

    [[nodiscard]] virtual Result<void> add_space(std::string_view space) = 0;
    [[nodiscard]] virtual Result<void> remove_space(std::string_view space) = 0;

    /// A tap, a bridge of the kernel, or a veth of which `peer` is the other end; left down, settings applied by set().
    [[nodiscard]] virtual Result<void> add_link(const Link& link, const Link* peer) = 0;
    [[nodiscard]] virtual Result<void> remove_link(std::string_view space, std::string_view name) = 0;

    [[nodiscard]] virtual Result<void> set(std::string_view space, std::string_view name,
                                           const LinkSettings& settings) = 0;
    [[nodiscard]] virtual Result<void> add_address(std::string_view space, std::string_view link,
                                                   std::string_view address) = 0;
    [[nodiscard]] virtual Result<void> remove_address(std::string_view space, std::string_view link,
                                                      std::string_view address) = 0;

    /// Whatever comes in on `link` is delivered to sockets of this namespace, whoever it is for (AnyIP).
    [[nodiscard]] virtual Result<void> deliver_from(std::string_view space, std::string_view link) = 0;

    /// Takes links of the host's namespace down, all of them, even if one fails: the last line of isolation.
    [[nodiscard]] virtual Result<void> sever(std::span<const std::string> names) = 0;
};

}  // namespace penumbra::netisolate
