#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/arm_builder.hpp"
#include "agent/arm_room.hpp"
#include "agent/news.hpp"
#include "agent/service_address.hpp"
#include "agent/store/shadow_book.hpp"
#include "base/clock.hpp"
#include "effects/admission.hpp"
#include "hypervisor/ports.hpp"
#include "hypervisor/replica_pruning.hpp"

namespace penumbra::agent {

/// Shadows: built in full or not at all, known again after a restart, taken away without a trace. Thread-bound; blocks.
class ShadowFlow {
 public:
    /// Whether something answers at `server` ("10.20.0.10:80") inside the namespace `space`.
    using Answers = std::function<Result<bool>(const std::string& space, const std::string& server)>;
    struct Parts {  ///< borrowed, all outlive the flow
        hypervisor::VmInventory& inventory;
        hypervisor::ShadowDomains& domains;
        netisolate::SwitchControl& control;
        ArmBuilder& builder;
        ArmStorage& storage;
        Guards& guards;
        ShadowBook& book;
        const Clock& clock;
        ServiceAddresses addresses;
        Drafting drafting;
        Answers answers;
        /// Called whenever they change: what the effects flow may touch.
        std::function<void(std::vector<effects::SandboxedArm>)> arms_stand;
        /// Ends the replay of a shadow that goes.
        std::function<Result<void>(ShadowRecord&)> end_replay;
        /// Called when a shadow of the VM is gone, and with it what it stood on.
        std::function<void(const VmId& vm)> let_go;
        Tell tell;
    };
    explicit ShadowFlow(Parts parts) : parts_(std::move(parts)) {}

    /// Once, before any order: what stands is guarded again, what was half-made or half-gone is taken away.
    void start();
    /// CreateShadow, DestroyShadow.
    void execute(const model::Command& command);
    void recover(const model::Command& command);
    /// Once a second: sees whether arms have booted, and ends shadows whose arms would fill production's disk.
    void tick();
    /// The watch has cut a sandbox off.
    void severed(const std::string& owner, const std::string& reason);
    /// Takes every shadow away, and whatever else of that kind is ours.
    [[nodiscard]] Result<void> remove_everything();

    /// What arms of the VM stand on, when `newest` is committed. kDataLoss while there may be arms nobody knows.
    [[nodiscard]] Result<hypervisor::StoodOn> stood_on(const VmId& vm, std::uint64_t newest) const;
    /// kNotFound unless it stands. Changes by the traffic flow are kept by keep().
    [[nodiscard]] Result<ShadowRecord*> find(const ShadowId& shadow);
    [[nodiscard]] Result<void> keep(const ShadowRecord& record) { return parts_.book.put(record); }
    [[nodiscard]] std::map<ShadowId, ShadowRecord>& records() noexcept { return records_; }

 private:
    struct Booting {
        model::Command command;
        Instant give_up{};
    };
    [[nodiscard]] Result<ShadowRecord> plan(const model::Command& command, const model::ShadowSpec& spec,
                                            const model::VmFacts& vm, const std::string& xml);
    [[nodiscard]] Result<void> size_arms(ShadowRecord& record, const model::VmFacts& vm, const std::string& xml);
    [[nodiscard]] Result<hypervisor::ShadowDomain> draft(const ShadowRecord& record, const ArmId& arm,
                                                         const std::string& xml, const ArmFiles& files);
    [[nodiscard]] Result<void> check_headroom(const ShadowRecord& record);
    /// Of the arms that are here: all of their memory, and what of it they have not touched yet and may at any time.
    struct ArmsMemory {
        Bytes all;
        Bytes untouched;
    };
    [[nodiscard]] Result<ArmsMemory> arms_memory();
    [[nodiscard]] Result<void> create(const model::Command& command, const model::ShadowSpec& spec);
    [[nodiscard]] Result<void> remove(const ShadowId& shadow);
    [[nodiscard]] Result<bool> serves(const ShadowRecord& record, const model::ArmStatus& arm);
    [[nodiscard]] Result<bool> boot_on(ShadowRecord& record);
    [[nodiscard]] Result<netisolate::DatapathType> datapath_of(const model::VmFacts& vm);
    [[nodiscard]] Result<void> take_up(ShadowRecord& record);
    void give_up(const ShadowId& shadow, Error why);
    void watch_room();
    [[nodiscard]] Result<void> look_at_room();
    [[nodiscard]] Result<std::vector<ShadowTake>> takes();
    void end_for_room(const ShadowId& shadow, const std::string& why);
    void changed();

    Parts parts_;
    std::map<ShadowId, ShadowRecord> records_;
    std::map<ShadowId, Booting> booting_;
    std::vector<std::string> troubles_;
    bool all_known_ = true;  ///< no arm stands here whose record was damaged
    /// A shadow that was ended for want of room: its record stays to say why until somebody destroys it.
    struct Ended {
        std::string why;
        Result<void> outcome;  ///< of taking its arms away: tried again until it is a success
    };
    std::map<ShadowId, Ended> ended_;
    std::string blind_;  ///< why the arms' disk could not be looked at; empty while it can
};

}  // namespace penumbra::agent
