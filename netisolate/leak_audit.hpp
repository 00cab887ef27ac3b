#pragma once

#include <span>
#include <string>
#include <vector>

#include "netisolate/datapath_flow.hpp"
#include "netisolate/isolation_plan.hpp"
#include "netisolate/mirror_plan.hpp"
#include "netisolate/network_state.hpp"

namespace penumbra::netisolate {

enum class LeakRule : unsigned char {
    kBridge,        ///< not ours, not there, fail_mode not secure
    kController,    ///< somebody outside may write flows
    kFeature,       ///< something on the bridge talks by itself: STP, NetFlow, ...
    kPort,          ///< a port that is not of the plan, or one of the plan elsewhere
    kMirror,        ///< a Mirror row where none may be, or the diode's is missing
    kFlow,          ///< a rule that is not of the plan and does not only drop
    kDatapathFlow,  ///< installed: frames go where the plan does not let them
    kLink,          ///< a link is enslaved, moved or addressed so that frames reach the host or another network
};

/// One possible path out. The sentence names the flow, port or link and the bridge it is on.
struct Finding {
    LeakRule rule = LeakRule::kFlow;
    std::string sentence;
};

/// Every path from a port of the sandbox to anything outside it. Empty: none. Closed by default: whatever is neither
/// of the plan nor plainly harmless is a finding. Missing rules are none: less moves then, not more.
[[nodiscard]] std::vector<Finding> audit_sandbox(const IsolationPlan& plan, const NetworkState& observed,
                                                 std::span<const DatapathFlow> datapath);

/// The same for a mirror: nothing may come in by the reserved port, and the far end must be deaf and alone.
[[nodiscard]] std::vector<Finding> audit_mirror(const MirrorPlan& plan, const NetworkState& observed,
                                                std::span<const DatapathFlow> datapath);

}  // namespace penumbra::netisolate
