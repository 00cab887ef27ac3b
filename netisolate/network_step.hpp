#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::netisolate {

struct AddSpace {
    std::string space;
};
struct RemoveSpace {
    std::string space;
};
struct AddLink {
    Link link;
    std::optional<Link> peer;
};
struct RemoveLink {
    Link link;
    std::optional<Link> peer;
};
struct SetLink {
    std::string space;
    std::string link;
    LinkSettings before;
    LinkSettings after;
};
struct AddAddress {
    std::string space;
    std::string link;
    std::string address;
};
struct RemoveAddress {
    std::string space;
    std::string link;
    std::string address;
};
/// Undone together with its namespace: the rule lives in it and nowhere else.
struct DeliverFrom {
    std::string space;
    std::string link;
};
struct ChangeSwitch {
    std::vector<SwitchChange> changes;  ///< one transaction
};
struct ReplaceFlows {
    std::string bridge;
    std::vector<Flow> remove;
    std::vector<Flow> add;
};

/// One step from the network as it is to the one it has to be. Each knows how it is undone.
using NetworkStep = std::variant<AddSpace, RemoveSpace, AddLink, RemoveLink, SetLink, AddAddress, RemoveAddress,
                                 DeliverFrom, ChangeSwitch, ReplaceFlows>;

/// The step that undoes this one; nothing where another step's undoing takes it along.
[[nodiscard]] std::optional<NetworkStep> inverse(const NetworkStep& step);
[[nodiscard]] SwitchChange inverse(const SwitchChange& change);

/// "adding port pnt-1 to bridge pnb-1": what is being done, for errors and logs.
[[nodiscard]] std::string describe(const NetworkStep& step);

/// Carries one step out.
[[nodiscard]] Result<void> carry_out(const NetworkStep& step, SwitchControl& control, LinkControl& links);

}  // namespace penumbra::netisolate
