#pragma once

#include <utility>

#include "netisolate/isolation_plan.hpp"
#include "netisolate/mirror_plan.hpp"

namespace penumbra::netisolate::testing_values {

inline IsolationPlan two_card_plan(DatapathType datapath = DatapathType::kNetdev) {
    auto plan = plan_isolation({.shadow = ShadowId("s1"),
                                .arm = ArmId("treated"),
                                .datapath = datapath,
                                .cards = {{{{0x52, 0x54, 0, 0, 0, 1}}}, {{{0x52, 0x54, 0, 0, 0, 2}}}},
                                .trap_addresses = {"192.0.2.1/24"}});
    ASSERT(plan.has_value());
    return *std::move(plan);
}

inline MirrorPlan shop_mirror() {
    auto plan = plan_mirror(
        {.owner = "mirror:shop", .bridge = "br-prod", .mirrored = {"vnet0"}, .datapath = DatapathType::kNetdev});
    ASSERT(plan.has_value());
    return *std::move(plan);
}

inline Bridge production_bridge() {
    return {.name = "br-prod",
            .settings = {.datapath = DatapathType::kNetdev},
            .ports = {{.name = "vnet0", .number = 1}, {.name = "eth1", .number = 2}}};
}

}  // namespace penumbra::netisolate::testing_values
