#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "journal/directory.hpp"
#include "netisolate/isolation_plan.hpp"
#include "proto/model/shadow.hpp"

namespace penumbra::agent {

/// A replay that was ordered, so that it is taken up again after a restart.
struct ReplayOrder {
    double share = 1;
    std::map<ArmId, double> multiples;  ///< the arms that take part
    std::string key;                    ///< of the sampler, 32 hex digits
    friend bool operator==(const ReplayOrder&, const ReplayOrder&) = default;
};

/// One shadow of this host as it is being made, stands, or is being taken away: written before the host is changed, so
/// that whatever dies half-way leaves nothing nobody knows.
struct ShadowRecord {
    enum class Stage : unsigned char { kBuilding, kStanding, kRemoving };
    Stage stage = Stage::kBuilding;
    CommandId command;           ///< that made it
    model::ShadowStatus status;  ///< arms in the order of the spec, domain names included
    VmId source;                 ///< production's VM
    std::vector<netisolate::GuestCard> cards;
    std::vector<std::string> gateways;  ///< "10.20.0.1/24": the trap answers for them
    netisolate::DatapathType datapath = netisolate::DatapathType::kSystem;
    std::optional<ReplayOrder> replay;
    friend bool operator==(const ShadowRecord&, const ShadowRecord&) = default;

    [[nodiscard]] const ShadowId& id() const noexcept { return status.spec.shadow; }
    /// The sandbox of one arm; the same at every call.
    [[nodiscard]] Result<netisolate::IsolationPlan> plan(const ArmId& arm) const;
    [[nodiscard]] model::ArmStatus* arm(const ArmId& arm);
    /// libvirt's name of the arm's domain; empty while it has none.
    [[nodiscard]] std::string domain(const ArmId& arm) const;
};

/// Records of shadows on disk, one file `ID.shadow` each, whole after any crash. Thread-bound.
class ShadowBook {
 public:
    struct Contents {
        std::vector<ShadowRecord> records;
        std::vector<Error> damaged;  ///< a shadow may stand that nobody knows: `host clean` takes it away
    };
    explicit ShadowBook(journal::Directory& directory) : directory_(directory) {}

    [[nodiscard]] Result<Contents> read_all();
    [[nodiscard]] Result<void> put(const ShadowRecord& record);
    [[nodiscard]] Result<void> forget(const ShadowId& shadow);

 private:
    journal::Directory& directory_;
};

}  // namespace penumbra::agent
