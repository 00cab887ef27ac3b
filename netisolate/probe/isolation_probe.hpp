#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "netisolate/isolation_plan.hpp"
#include "netisolate/ports.hpp"
#include "proto/model/shadow.hpp"

namespace penumbra::netisolate {

/// What the probe works on: borrowed ports, and the folder of namespaces that `links` works in.
struct ProbeGround {
    SwitchControl& control;
    LinkControl& links;
    std::filesystem::path spaces = "/run/penumbra/netns";
};

/// Shows that a sandbox is isolated: sends hostile_frames() from its end of the trap and from its taps, while every
/// other link of the host is listened to. A tap that a running guest holds cannot be sent from: then a twin is built,
/// the same plan under another name, and sent from. Then the same frames on a bridge of the probe's own without
/// isolation, where they have to be seen. Nothing of production is touched; what the probe made is gone when it
/// returns. Names and time of the report are the caller's. Blocks for seconds; needs CAP_NET_RAW and CAP_SYS_ADMIN.
/// Errors: kDataLoss (too much else to listen to), kDeadlineExceeded (the switch did not look at every frame), and what
/// the ports say.
[[nodiscard]] Result<model::IsolationReport> probe_isolation(const IsolationPlan& sandbox, const ProbeGround& ground);

}  // namespace penumbra::netisolate
