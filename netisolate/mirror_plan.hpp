#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "netisolate/network_state.hpp"

namespace penumbra::netisolate {

/// The one crossing from production: a veth whose bridge end a Mirror row reserves; a capture process reads the far
/// end.
struct MirrorSpec {
    std::string owner;                  ///< the hold's effect id, "mirror:..."; the mark of everything of it
    std::string bridge;                 ///< production's; never ours
    std::vector<std::string> mirrored;  ///< ports whose frames are copied, both directions
    DatapathType datapath = DatapathType::kSystem;  ///< of that bridge, as observed
};

struct MirrorPlan {
    std::string owner;
    std::string bridge;
    std::string mirror;   ///< name of the Mirror row
    std::string veth;     ///< the reserved port ...
    std::string capture;  ///< ... and the far end, no address, IPv6 and ARP off
    std::string space;    ///< the capture's namespace
    NetworkState desired;
};

/// kInvalidArgument: no owner, no bridge, no port to mirror.
[[nodiscard]] Result<MirrorPlan> plan_mirror(const MirrorSpec& spec);

}  // namespace penumbra::netisolate
