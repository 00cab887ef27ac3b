#include "netisolate/leak_audit.hpp"

#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

/// A sandbox and a mirror as they have to be, beside production, with the datapath flows that traffic leaves.
struct World {
    IsolationPlan plan = testing_values::two_card_plan();
    MirrorPlan mirror = testing_values::shop_mirror();
    NetworkState state = plan.desired;
    std::vector<DatapathFlow> datapath;

    World() {
        Bridge production = testing_values::production_bridge();
        const Bridge& added = mirror.desired.bridges.front();
        production.ports.push_back(added.ports.front());
        production.mirrors = added.mirrors;
        state.bridges.push_back(production);
        state.links.insert(state.links.end(), mirror.desired.links.begin(), mirror.desired.links.end());
        state.spaces.push_back(mirror.desired.spaces.front());
        state.links.push_back({.name = "eth1", .settings = {.up = true}});
        datapath.push_back({.in_port = tap(), .outputs = {plan.veth}, .text = "tap to veth"});
        datapath.push_back({.in_port = tap(), .text = "dropped"});
        datapath.push_back({.in_port = "vnet0", .outputs = {"eth1", mirror.veth}, .text = "mirrored"});
        datapath.push_back({.in_port = mirror.veth, .text = "dropped"});
    }
    [[nodiscard]] std::string tap() const { return plan.guests.front().tap; }
    [[nodiscard]] Bridge& bridge() { return *state.bridge(plan.bridge); }
    [[nodiscard]] Bridge& production() { return *state.bridge("br-prod"); }
    [[nodiscard]] std::vector<Finding> audit() const {
        auto found = audit_sandbox(plan, state, datapath);
        const auto more = audit_mirror(mirror, state, datapath);
        found.insert(found.end(), more.begin(), more.end());
        return found;
    }
};

using Random = std::mt19937_64;

std::size_t pick(Random& random, std::size_t below) {
    return random() % below;
}

Flow bad_flow(Random& random) {
    const std::vector<FlowAction> actions = {
        {.kind = ActionKind::kNormal, .text = "NORMAL"},
        {.kind = ActionKind::kFlood, .text = "FLOOD"},
        {.kind = ActionKind::kAll, .text = "ALL"},
        {.kind = ActionKind::kInPort, .text = "IN_PORT"},
        {.kind = ActionKind::kLocal, .text = "LOCAL"},
        {.kind = ActionKind::kController, .text = "CONTROLLER:65535"},
        {.kind = ActionKind::kOther, .text = "ct(commit)"},
        {.kind = ActionKind::kOther, .text = "group:1"},
        output_to(static_cast<std::uint16_t>(10 + pick(random, 60000))),
        output_to(static_cast<std::uint16_t>(1 + pick(random, 3))),  // inside, but nobody planned it
    };
    return {.key = {.table = static_cast<std::uint8_t>(pick(random, 254)),
                    .priority = static_cast<std::uint16_t>(random()),
                    .match = "in_port=" + std::to_string(1 + pick(random, 3))},
            .cookie = random(),
            .actions = {actions[pick(random, actions.size())]}};
}

Link& host_end(World& world, Random& random) {
    std::vector<Link*> ends;
    for (Link& link : world.state.links) {
        if (link.space.empty() && link.kind != LinkKind::kBridge && !link.owner.empty()) ends.push_back(&link);
    }
    return *ends[pick(random, ends.size())];
}

using Mutation = std::function<void(World&, Random&)>;

std::vector<Mutation> switch_mutations() {
    return {
        [](World& w, Random& r) { w.bridge().flows.push_back(bad_flow(r)); },
        [](World& w, Random& r) {
            std::vector<Flow*> sending;
            for (Flow& flow : w.bridge().flows) {
                if (!flow.only_drops()) sending.push_back(&flow);
            }
            sending[pick(r, sending.size())]->actions.push_back(bad_flow(r).actions.front());
        },
        [](World& w, Random& r) {  // a rule of the plan that dropped no longer does
            std::vector<Flow*> dropping;
            for (Flow& flow : w.bridge().flows) {
                if (flow.only_drops()) dropping.push_back(&flow);
            }
            dropping[pick(r, dropping.size())]->actions = bad_flow(r).actions;
        },
        [](World& w, Random&) { w.bridge().settings.fail_mode = FailMode::kStandalone; },
        [](World& w, Random&) { w.bridge().settings.in_band_disabled = false; },
        [](World& w, Random&) { w.bridge().owner.clear(); },
        [](World& w, Random&) { w.bridge().controllers.emplace_back("tcp:192.0.2.9:6653"); },
        [](World& w, Random& r) {
            const std::vector<std::string> all = {"stp_enable", "rstp_enable", "mcast_snooping_enable",
                                                  "netflow",    "sflow",       "ipfix"};
            w.bridge().features.push_back(all[pick(r, all.size())]);
        },
        [](World& w, Random& r) {
            const std::vector<std::string> types = {"patch", "vxlan", "geneve", "gre", "internal", ""};
            w.bridge().ports.push_back(
                {.name = "x" + std::to_string(r()), .type = types[pick(r, types.size())], .number = 9});
        },
        [](World& w, Random& r) { w.bridge().ports[pick(r, 3)].number = static_cast<std::uint16_t>(4 + pick(r, 99)); },
        [](World& w, Random& r) { w.bridge().ports[pick(r, 3)].type = "vxlan"; },
        [](World& w, Random& r) { w.bridge().ports[pick(r, 3)].interfaces = 2; },
        [](World& w, Random& r) { w.bridge().ports[pick(r, 3)].options["remote_ip"] = "192.0.2.9"; },
        [](World& w, Random& r) { w.production().ports.push_back(w.bridge().ports[pick(r, 3)]); },
        [](World& w, Random& r) {
            w.production().ports.push_back(
                {.name = "p", .type = "patch", .options = {{"peer", w.bridge().ports[pick(r, 3)].name}}});
        },
        [](World& w, Random&) { w.bridge().mirrors.push_back({.name = "m", .output_port = w.plan.veth}); },
        [](World& w, Random&) { w.production().mirrors.clear(); },
        [](World& w, Random&) { w.production().mirrors.front().output_port = "eth1"; },
        [](World& w, Random&) { w.production().mirrors.front().selects_all = true; },
        [](World& w, Random&) { w.bridge().ports.push_back(w.mirror.desired.bridges.front().ports.front()); },
    };
}

std::vector<Mutation> other_mutations() {
    return {
        [](World& w, Random&) { w.datapath.push_back({.in_port = w.tap(), .outputs = {"eth1"}, .text = "out"}); },
        [](World& w, Random&) { w.datapath.push_back({.in_port = "vnet0", .outputs = {w.tap()}, .text = "in"}); },
        [](World& w, Random&) { w.datapath.push_back({.in_port = "", .outputs = {w.tap()}, .text = "any"}); },
        [](World& w, Random&) {
            w.datapath.push_back(
                {.in_port = w.tap(), .others = {"userspace(pid=0,slow_path(controller))"}, .text = "c"});
        },
        [](World& w, Random&) { w.datapath.push_back({.in_port = w.tap(), .others = {"recirc(0x1)"}, .text = "r"}); },
        [](World& w, Random&) {
            w.datapath.push_back({.in_port = w.mirror.veth, .outputs = {"vnet0"}, .text = "through the diode"});
        },
        [](World& w, Random& r) { host_end(w, r).settings.arp = true; },
        [](World& w, Random& r) { host_end(w, r).settings.ipv6 = true; },
        [](World& w, Random& r) { host_end(w, r).settings.master = "virbr0"; },
        [](World& w, Random& r) { host_end(w, r).addresses = {"192.0.2.200/24"}; },
        [](World& w, Random& r) {
            for (Link& link : w.state.links) {
                if (link.kind == LinkKind::kBridge) link.settings.up = true;
            }
            static_cast<void>(r);
        },
        [](World& w, Random& r) {
            w.state.links.push_back(
                {.name = "eth7", .space = pick(r, 2) == 0 ? w.plan.space : w.mirror.space, .kind = LinkKind::kVeth});
        },
        [](World& w, Random&) { w.state.link(w.plan.space, w.plan.trap)->space.clear(); },
        [](World& w, Random&) { w.state.link(w.mirror.space, w.mirror.capture)->addresses = {"192.0.2.3/24"}; },
        [](World& w, Random&) { w.state.link(w.mirror.space, w.mirror.capture)->settings.ipv6 = true; },
    };
}

TEST(LeakAudit, FindsNothingInASandboxThatIsAsPlanned) {
    EXPECT_TRUE(World().audit().empty());
}

TEST(LeakAudit, ARuleThatOnlyDropsIsNoLeak) {
    World world;
    world.bridge().flows.push_back({.key = {.priority = kFaultPriority, .match = "in_port=2"}, .cookie = 99});
    EXPECT_TRUE(world.audit().empty());
}

TEST(LeakAudit, MissingRulesAreNoLeak) {
    World world;
    world.bridge().flows.clear();
    EXPECT_TRUE(world.audit().empty());
}

TEST(LeakAudit, EveryOneOf500SeededMutationsIsFound) {
    auto mutations = switch_mutations();
    for (Mutation& mutation : other_mutations())
        mutations.push_back(std::move(mutation));
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        Random random(seed);
        World world;
        const std::size_t which = seed % mutations.size();
        mutations[which](world, random);
        EXPECT_FALSE(world.audit().empty()) << "mutation " << which << " with seed " << seed;
    }
}

TEST(LeakAudit, AFindingNamesTheFlow) {
    World world;
    world.bridge().flows.push_back(
        {.key = {.priority = 7}, .actions = {{.kind = ActionKind::kNormal, .text = "NORMAL"}}});
    const auto found = world.audit();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found.front().rule, LeakRule::kFlow);
    EXPECT_EQ(found.front().sentence,
              "flow 'table=0 priority=7 actions=NORMAL' on bridge " + world.plan.bridge + " is not of the plan");
}

}  // namespace
}  // namespace penumbra::netisolate
