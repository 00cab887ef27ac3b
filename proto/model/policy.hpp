#pragma once

#include <set>
#include <string>

#include "proto/model/host.hpp"

namespace penumbra::model {

/// What root of one host allows, from /etc/penumbra/policy.toml; nothing on the wire can change it (design D14).
struct Policy {
    Ceiling ceiling = Ceiling::kObserve;
    std::set<std::string> vms;           ///< names or UUIDs that take part; "*": all
    std::set<std::string> effect_kinds;  ///< "domain.iotune", "ovs.partition", ...; "*": all
    bool may_run_shadows = false;
    bool plaintext_replicas = false;  ///< a volume that the host encrypts may be copied: its copies are not encrypted
    friend bool operator==(const Policy&, const Policy&) = default;
};

}  // namespace penumbra::model
