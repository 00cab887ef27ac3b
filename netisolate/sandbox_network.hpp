#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/limits/network.hpp"
#include "base/result.hpp"
#include "netisolate/isolation_plan.hpp"
#include "netisolate/leak_audit.hpp"
#include "netisolate/mirror_plan.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::netisolate {

/// The network as it is, with the flows of the bridges that `owner` has.
[[nodiscard]] Result<NetworkState> observe(SwitchControl& control, LinkControl& links, std::string_view owner);

/// One look at the host, for every watch of a round: the network without flows, and what the datapaths do.
struct Sighting {
    NetworkState state;
    std::vector<DatapathFlow> datapath;
};
[[nodiscard]] Result<Sighting> sight(SwitchControl& control, LinkControl& links);

/// A mirror for the bridge as it is now, of which the datapath is taken. kNotFound: no such bridge, or a port to be
/// mirrored is not on it. kInvalidArgument: the bridge is a sandbox's.
[[nodiscard]] Result<MirrorPlan> plan_mirror_here(MirrorSpec spec, SwitchControl& control);

/// Builds a sandbox, or completes and repairs one; what is already right is left alone. On an error everything this
/// call made is undone again, and what could not be follows the error. Ends audited: a leak is kInternal and leaves
/// nothing.
[[nodiscard]] Result<void> build_sandbox(const IsolationPlan& plan, SwitchControl& control, LinkControl& links);

/// The same for a mirror; a hold of effects/ writes its intent down first.
[[nodiscard]] Result<void> build_mirror(const MirrorPlan& plan, SwitchControl& control, LinkControl& links);

/// Takes everything of an owner away, a sandbox or a mirror, however much of it there is. Idempotent.
[[nodiscard]] Result<void> tear_down(std::string_view owner, SwitchControl& control, LinkControl& links);

/// What one round of a watch saw and did.
struct WatchRound {
    std::vector<Finding> findings;  ///< not empty: every tap and the veth are down, for good
    bool repaired = false;          ///< rules were missing (ovs-vswitchd restarted) and stand again
};

using GuardedPlan = std::variant<IsolationPlan, MirrorPlan>;

/// Guards one sandbox or mirror. round() is to be called every limits::kIsolationAuditInterval; it severs on a finding,
/// and when it could not look for limits::kIsolationBlindMax. A severed one stays severed. Thread-bound, blocking.
class IsolationWatch {
 public:
    IsolationWatch(GuardedPlan plan, SwitchControl& control, LinkControl& links, const Clock& clock);

    [[nodiscard]] Result<WatchRound> round() { return round(sight(control_, links_)); }
    /// The same by a look that others share.
    [[nodiscard]] Result<WatchRound> round(const Result<Sighting>& seen);
    [[nodiscard]] bool severed() const noexcept { return !reason_.empty(); }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }  ///< one sentence; empty: intact

 private:
    [[nodiscard]] Result<WatchRound> look(const Result<Sighting>& seen);
    [[nodiscard]] Result<void> sever(std::string reason);

    GuardedPlan plan_;
    SwitchControl& control_;
    LinkControl& links_;
    const Clock& clock_;
    Instant seen_;
    std::string reason_;
    bool taps_down_ = false;
};

}  // namespace penumbra::netisolate
