#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::netisolate {

/// OpenFlow 1.5 to one bridge's management socket, a connection a call. vconn_bundle_transact of libopenvswitch has no
/// deadline and an ovs-vswitchd that is stopped would hold the caller for ever: the same messages go out under ours.
[[nodiscard]] Result<std::vector<Flow>> dump_flows(const std::string& socket);
[[nodiscard]] Result<void> apply_bundle(const std::string& socket, const FlowBundle& bundle);

}  // namespace penumbra::netisolate
