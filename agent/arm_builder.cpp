#include "agent/arm_builder.hpp"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "agent/also.hpp"
#include "netisolate/sandbox_network.hpp"

namespace penumbra::agent {

namespace {

/// Sandboxes have owners "SHADOW/ARM"; a mirror's is an effect, and the effects flow's to take away.
bool is_sandbox(const std::string& owner) {
    return owner.find('/') != std::string::npos;
}

std::set<std::string> sandboxes_in(const netisolate::NetworkState& state) {
    std::set<std::string> owners;
    for (const netisolate::Bridge& bridge : state.bridges)
        if (is_sandbox(bridge.owner)) owners.insert(bridge.owner);
    for (const netisolate::Link& link : state.links)
        if (is_sandbox(link.owner)) owners.insert(link.owner);
    return owners;
}

}  // namespace

Result<void> ArmBuilder::build(const ShadowRecord& record, const ArmId& arm, const std::string& xml) {
    const netisolate::IsolationPlan plan = TRY(record.plan(arm));
    TRY(netisolate::build_sandbox(plan, parts_.control, parts_.links));
    TRY(parts_.domains.define(xml));
    TRY(parts_.guards.guard(plan));
    return parts_.domains.start(record.domain(arm));
}

Result<void> ArmBuilder::remove(const ShadowRecord& record, const ArmId& arm) {
    const netisolate::IsolationPlan plan = TRY(record.plan(arm));
    Result<void> all;
    // Without a name nothing was defined.
    if (const std::string domain = record.domain(arm); !domain.empty()) also(all, parts_.domains.remove(domain));
    also(all, parts_.guards.release(plan.owner));
    also(all, netisolate::tear_down(plan.owner, parts_.control, parts_.links));
    also(all, parts_.storage.remove(plan.owner));
    return all;
}

Result<void> ArmBuilder::remove_all(const ShadowRecord& record) {
    Result<void> all;
    for (const ArmId& arm : record.status.spec.arms)
        also(all, remove(record, arm));
    return all;
}

Result<void> ArmBuilder::remove_strays(const std::vector<ShadowRecord>& known) {
    std::set<std::string> domains;
    std::set<std::string> owners;
    for (const ShadowRecord& record : known) {
        for (const ArmId& arm : record.status.spec.arms) {
            domains.insert(record.domain(arm));
            owners.insert(TRY(record.plan(arm)).owner);
        }
    }
    Result<void> all;
    for (const hypervisor::ShadowDomainFacts& domain : TRY(parts_.domains.list_shadows()))
        if (!domains.contains(domain.name)) also(all, parts_.domains.remove(domain.name));
    netisolate::NetworkState state = TRY(parts_.links.observe());
    state.bridges = TRY(parts_.control.bridges());
    for (const std::string& owner : sandboxes_in(state)) {
        if (owners.contains(owner)) continue;
        also(all, parts_.guards.release(owner));
        also(all, netisolate::tear_down(owner, parts_.control, parts_.links));
    }
    for (const std::string& owner : TRY(parts_.storage.owners()))
        if (!owners.contains(owner)) also(all, parts_.storage.remove(owner));
    return all;
}

}  // namespace penumbra::agent
