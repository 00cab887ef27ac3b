#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/group_capture.hpp"
#include "agent/lane.hpp"
#include "agent/news.hpp"
#include "agent/service_address.hpp"
#include "base/backoff.hpp"
#include "hypervisor/ports.hpp"
#include "proto/model/policy.hpp"

namespace penumbra::agent {

/// What a replay asks of the capture of its group.
struct CaptureOrder {
    GroupId group;
    VmId vm;          ///< production's
    std::string key;  ///< of the sampler, 32 hex digits
    double share = 1;
    std::vector<ArmId> arms;
};

/// How the traffic flow has a group captured for a replay. Blocks.
class Captures {
 public:
    Captures() = default;
    Captures(const Captures&) = delete;
    Captures& operator=(const Captures&) = delete;
    Captures(Captures&&) = delete;
    Captures& operator=(Captures&&) = delete;
    virtual ~Captures() = default;
    /// In place of whatever measures that VM. Gives the servers that are captured, for the arms to be asked as. After
    /// an error, end() takes away what there is.
    [[nodiscard]] virtual Result<std::vector<std::string>> begin(const CaptureOrder& order) = 0;
    /// The replay is over. One that was not begun is a success.
    [[nodiscard]] virtual Result<void> end(const GroupId& group) = 0;
};

/// Production is measured the whole time, not only while it is replayed: every VM that services.toml and the policy
/// both name has a mirror and a capture without arms while it runs, with the VM's name for the group's, and its KPI
/// windows are production's. A replay takes the mirror over, and gives it back. On a lane of its own, because the
/// shadow flow's stands still while a shadow is made. Thread-bound; blocks.
class ObserveFlow final : public Captures {
 public:
    struct Parts {  ///< borrowed, all outlive the flow
        hypervisor::VmInventory& inventory;
        GroupCapture::Parts capture;
        ServiceAddresses addresses;
        std::function<Result<std::string>()> new_key;  ///< 32 hex digits for a sampler
        Tell tell;
    };
    explicit ObserveFlow(Parts parts) : parts_(std::move(parts)) {}

    /// Once, before anything else: captures that an earlier life left running are heard out.
    void start();
    /// Nothing is measured under a ceiling below 'replicate'.
    void set_policy(const model::Policy& policy);
    /// The host's VMs, whenever they were looked at.
    void saw(std::vector<model::VmFacts> vms);
    /// A mirror was cut off, for one sentence's reason: an observation begins anew, a replay has to be.
    void mirror_severed(const std::string& owner, const std::string& reason);
    /// Once a second: keeps mirrors' leases, follows VMs and policy, tries again what failed.
    void tick();
    /// Nothing is observed any more until wake(), or until the policy changes; replays go on.
    [[nodiscard]] Result<void> rest();
    void wake();

    [[nodiscard]] Result<std::vector<std::string>> begin(const CaptureOrder& order) override;
    [[nodiscard]] Result<void> end(const GroupId& group) override;

 private:
    struct Group {
        GroupCapture capture;
        VmId vm;
        bool replayed = false;  ///< the capture is a replay's
        bool measures = false;  ///< the capture is an observation's
        Instant retry_at{};
        std::chrono::milliseconds wait{};
        std::string trouble;
    };
    [[nodiscard]] Group& group_of(const GroupId& id);
    [[nodiscard]] std::map<GroupId, const model::VmFacts*> wanted() const;
    [[nodiscard]] bool is_replayed(const VmId& vm) const;
    [[nodiscard]] Result<void> observe(Group& group, const model::VmFacts& vm);
    void keep_mirrors();
    void follow();
    void failed(const GroupId& id, Group& group, const Error& error);
    [[nodiscard]] Result<void> drop(const GroupId& id, const std::string& why);

    Parts parts_;
    model::Policy policy_;
    std::vector<model::VmFacts> vms_;
    std::map<GroupId, Group> groups_;
    bool rests_ = false;
    Instant follow_at_{};
    Random random_;  ///< of the waits between tries only
};

/// Another lane's captures, from any lane that may wait for it.
class CapturesOnLane final : public Captures {
 public:
    CapturesOnLane(Lane& lane, Captures& captures) : lane_(lane), captures_(captures) {}
    [[nodiscard]] Result<std::vector<std::string>> begin(const CaptureOrder& order) override {
        return call_on<std::vector<std::string>>(lane_, [&] { return captures_.begin(order); });
    }
    [[nodiscard]] Result<void> end(const GroupId& group) override {
        return call_on<void>(lane_, [&] { return captures_.end(group); });
    }

 private:
    Lane& lane_;
    Captures& captures_;
};

}  // namespace penumbra::agent
