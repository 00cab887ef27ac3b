#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace penumbra::replay {

/// What a shadow tries to send outward. The sandbox's namespace takes every address as its own, so the kernel refuses
/// each attempt at once (RST, ICMP port unreachable) and nothing leaves; this counts who was asked for, for the
/// fidelity report. At most kEgressTargetsMax targets are told apart. Thread-bound; pure.
class EgressTrap {
 public:
    struct Target {
        std::uint8_t protocol = 0;  ///< 6 TCP, 17 UDP
        packet::Endpoint endpoint;
        friend auto operator<=>(const Target&, const Target&) = default;
    };
    struct Attempts {
        Target target;
        std::uint64_t count = 0;
    };

    explicit EgressTrap(std::vector<packet::IpAddress> guests) : guests_(std::move(guests)) {}
    /// One frame seen on the sandbox's veth. Counts a guest's TCP SYN, and UDP that is no answer to one of ours.
    void frame(packet::ByteView frame);
    [[nodiscard]] std::uint64_t attempts() const noexcept { return attempts_; }
    /// Most wanted first.
    [[nodiscard]] std::vector<Attempts> targets() const;

 private:
    void count(const Target& target);

    std::vector<packet::IpAddress> guests_;
    std::map<Target, std::uint64_t> targets_;
    std::uint64_t attempts_ = 0;
};

}  // namespace penumbra::replay
