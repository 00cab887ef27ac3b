#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "agent/guards.hpp"
#include "agent/holds.hpp"
#include "agent/kpi_flow.hpp"
#include "base/clock.hpp"
#include "proto/model/host.hpp"
#include "systemd/unit_control.hpp"

namespace penumbra::agent {

/// "penumbra-capture@GROUP.service"
[[nodiscard]] std::string capture_unit(const GroupId& group);
/// Of the capture's sockets; its environment file stands beside it, with ".env".
[[nodiscard]] std::filesystem::path capture_folder(const std::filesystem::path& run_folder, const GroupId& group);

/// The card of a VM that has some whose traffic is mirrored.
[[nodiscard]] const model::NicFacts& mirrored_card(const model::VmFacts& vm);
/// One sentence on the cards whose traffic is not; nothing where there are none.
[[nodiscard]] std::optional<std::string> about_other_cards(const model::VmFacts& vm);

/// Production measured at one group: a mirror, held under a lease on the bridge of mirrored_card() of its VM, and
/// penumbra-capture@GROUP at the mirror's far end, whose KPI windows are read. The same for an observation, which has
/// no arms, and for a replay. Thread-bound; blocks. What runs stays when this goes: the mirror until its lease ends.
class GroupCapture {
 public:
    struct Parts {  ///< borrowed, all outlive it
        systemd::UnitControl& units;
        Holds& holds;
        Guards& guards;
        KpiReaders& readers;
        const Clock& clock;
        std::filesystem::path run_folder;    ///< "/run/penumbra": environment files and sockets
        std::filesystem::path space_folder;  ///< "/run/penumbra/netns"
    };
    struct Order {
        model::VmFacts vm;  ///< runs and has a network card
        std::vector<std::string> servers;
        std::string key;  ///< of the sampler, 32 hex digits
        double share = 1;
        std::vector<ArmId> arms;  ///< that get exchanges; none: it only measures
    };
    GroupCapture(GroupId group, Parts parts) : group_(std::move(group)), parts_(std::move(parts)) {}

    /// In place of whatever capture of this group runs; a mirror of the same card stays. After an error stop() takes
    /// away what there is.
    [[nodiscard]] Result<void> start(const Order& order);
    /// The process ends and its last windows are read; the mirror stays. One that does not run is a success.
    [[nodiscard]] Result<void> stop_process();
    [[nodiscard]] Result<void> stop(const std::string& why);
    /// A capture that an earlier life of the agent left running on a mirror that is gone: the windows it kept meanwhile
    /// are read from now on, until it is stopped.
    [[nodiscard]] Result<void> hear_out();
    /// A new lease for the mirror, when a third of the old one is over. kUnavailable: it was cut off.
    [[nodiscard]] Result<void> keep_mirror();
    /// A guard cut the mirror of that hold off; of any other: ignored.
    void cut_off(const std::string& hold, const std::string& reason);
    /// kUnavailable when the process has ended.
    [[nodiscard]] Result<void> check_runs();
    [[nodiscard]] bool mirrors(const model::NicFacts& card) const;

 private:
    struct Mirror {
        EffectId hold;
        model::NicFacts card;
        std::string interface;        ///< the far end ...
        std::filesystem::path space;  ///< ... and the namespace it is in
        Instant prolong_at{};
        bool stands = false;
        std::string cut_off;  ///< why it copies nothing any more; empty: it does
    };
    [[nodiscard]] Result<void> place_mirror(const model::VmFacts& vm);
    [[nodiscard]] Result<void> lift_mirror(const std::string& why);
    [[nodiscard]] std::filesystem::path folder() const { return capture_folder(parts_.run_folder, group_); }

    GroupId group_;
    Parts parts_;
    std::optional<Mirror> mirror_;
};

}  // namespace penumbra::agent
