#include "agent/inventory_flow.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/core/ceiling.hpp"

namespace penumbra::agent {

namespace {
/// A VM that could be cloned and may not be, is not cloneable; one that cannot be has one reason more.
void heed(const model::Policy& policy, model::VmFacts& vm) {
    std::string why = why_not_copied(policy, vm);
    if (why.empty()) return;
    if (std::exchange(vm.cloneable, false)) vm.reasons.clear();
    vm.reasons.push_back(std::move(why));
}
}  // namespace

Result<model::HostFacts> InventoryFlow::look() {
    model::HostFacts facts = TRY(parts_.inventory.describe_host());
    facts.vms = TRY(parts_.inventory.list_vms());
    for (model::VmFacts& vm : facts.vms)
        heed(policy_, vm);
    return facts;
}

void InventoryFlow::observe() {
    Result<model::HostFacts> facts = look();
    Troubles troubles{.flow = "inventory"};
    if (!facts.has_value()) troubles.sentences.push_back(facts.error().describe());
    const HostSight sight = parts_.look_around();
    for (const Check& check : checks_of(policy_, facts.value_or(model::HostFacts{}), parts_.served, sight))
        (check.severity == Severity::kError ? troubles.sentences : troubles.hints).push_back(text_of(check));
    if (facts.has_value()) {
        parts_.seen(facts->vms);
        facts->switch_version = sight.switch_version;
        facts->ceiling = policy_.ceiling;
        facts->may_run_shadows = policy_.may_run_shadows;
        parts_.tell(Event(FactsObserved{std::move(*facts)}));
    }
    parts_.tell(std::move(troubles));
}

Result<model::VmFacts> find_vm(const std::vector<model::VmFacts>& vms, std::string_view group) {
    const auto found =
        std::ranges::find_if(vms, [&](const model::VmFacts& vm) { return vm.name == group || vm.vm.text() == group; });
    if (found != vms.end()) return *found;
    return fail(ErrorCode::kNotFound, fmt::format("there is no VM '{}' on this host", group));
}

}  // namespace penumbra::agent
