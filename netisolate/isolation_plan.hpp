#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/limits/network.hpp"
#include "base/result.hpp"
#include "netisolate/network_state.hpp"
#include "packet/address.hpp"

namespace penumbra::netisolate {

/// One network card of one clone. Its MAC is production's: each arm is alone in its sandbox.
struct GuestCard {
    packet::MacAddress mac;
    friend bool operator==(const GuestCard&, const GuestCard&) = default;
};

struct SandboxSpec {
    ShadowId shadow;
    ArmId arm;
    DatapathType datapath = DatapathType::kSystem;
    std::vector<GuestCard> cards;  ///< 1..limits::kGuestPortsPerSandboxMax, in the order of the clones' cards
    std::vector<std::string> trap_addresses;  ///< "192.0.2.1/24": the gateways the clones expect
};

/// A card's place in the sandbox: libvirt is given `tap` (`<interface type='ethernet'><target dev=TAP managed='no'/>`).
struct GuestPort {
    std::string tap;
    std::uint16_t number = 0;
    packet::MacAddress mac;
};

/// One sandbox, decided: every name and number, and the network as it has to be. Nothing but `taps <-> trap` moves.
struct IsolationPlan {
    std::string owner;   ///< "SHADOW/ARM": the mark of everything of it
    std::string bridge;  ///< our own, fail_mode=secure
    std::string space;   ///< the one namespace: replay clients and egress trap live there
    std::string veth;    ///< its end on the bridge ...
    std::string trap;    ///< ... and the one in the namespace
    std::uint64_t cookie = 0;
    std::vector<GuestPort> guests;
    NetworkState desired;  ///< taps and veth up; build() opens them last
};

inline constexpr std::uint16_t kTrapPortNumber = 1;
inline constexpr std::uint16_t kFirstGuestPortNumber = 2;
inline constexpr std::uint16_t kPlanPriorityMax = 50000;
/// Where a fault puts its rules: above every rule of the plan, and they may only drop.
inline constexpr std::uint16_t kFaultPriority = 60000;

/// Open vSwitch's number of a bridge's own port, which is the host.
inline constexpr std::uint32_t kLocalPortNumber = 0xfffffffe;

/// kInvalidArgument: no cards, too many, a MAC twice, a multicast MAC.
[[nodiscard]] Result<IsolationPlan> plan_isolation(const SandboxSpec& spec);

/// Eight letters that stand for an owner in interface names, which have room for fifteen.
[[nodiscard]] std::string short_name(std::string_view owner);

}  // namespace penumbra::netisolate
