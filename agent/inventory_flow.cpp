#include "agent/inventory_flow.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace penumbra::agent {

Result<model::HostFacts> InventoryFlow::look() {
    model::HostFacts facts = TRY(inventory_.describe_host());
    facts.vms = TRY(inventory_.list_vms());
    return facts;
}

void InventoryFlow::observe() {
    Result<model::HostFacts> facts = look();
    Troubles troubles{.flow = "inventory"};
    if (!facts.has_value()) {
        troubles.sentences.push_back(facts.error().describe());
        return tell_(std::move(troubles));
    }
    seen_(facts->vms);
    facts->ceiling = policy_.ceiling;
    facts->may_run_shadows = policy_.may_run_shadows;
    tell_(Event(FactsObserved{std::move(*facts)}));
    tell_(std::move(troubles));
}

Result<model::VmFacts> find_vm(const std::vector<model::VmFacts>& vms, std::string_view group) {
    const auto found =
        std::ranges::find_if(vms, [&](const model::VmFacts& vm) { return vm.name == group || vm.vm.text() == group; });
    if (found != vms.end()) return *found;
    return fail(ErrorCode::kNotFound, fmt::format("there is no VM '{}' on this host", group));
}

}  // namespace penumbra::agent
