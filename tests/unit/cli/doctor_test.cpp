#include <gtest/gtest.h>

#include "cli/findings.hpp"

namespace penumbra::cli {
namespace {

model::HostView sound_host() {
    return {.host = HostId("hv1"),
            .state = model::HostState::kOnline,
            .facts = {.ceiling = model::Ceiling::kChange,
                      .may_run_shadows = true,
                      .vms = {{.vm = VmId("uuid"), .name = "shop", .cloneable = true}}}};
}

std::string only_problem(const model::HostView& host) {
    const auto findings = find_problems({host}, {});
    EXPECT_EQ(findings.size(), 1U);
    return findings.empty() ? "" : findings[0].subject + ": " + findings[0].problem;
}

bool says(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(Doctor, ASoundFleetHasNothingWrong) {
    EXPECT_TRUE(find_problems({sound_host()}, {}).empty());
}

TEST(Doctor, AnEmptyFleetIsToldHowToEnrol) {
    ASSERT_EQ(find_problems({}, {}).size(), 1U);
    EXPECT_TRUE(says(find_problems({}, {})[0].problem, "host token"));
}

TEST(Doctor, AHostThatIsNotOnlineSaysWhy) {
    model::HostView host = sound_host();
    host.state = model::HostState::kDegraded;
    host.reason = "libvirtd does not answer";
    EXPECT_TRUE(says(only_problem(host), "libvirtd does not answer"));
}

TEST(Doctor, EveryTroubleAndEveryHintOfAHostIsAFinding) {
    model::HostView host = sound_host();
    host.state = model::HostState::kDegraded;
    host.reason = "libvirtd does not answer";
    host.troubles = {"libvirtd does not answer", "Open vSwitch does not answer"};
    host.hints = {"no VM may take part"};
    const auto findings = find_problems({host}, {});
    ASSERT_EQ(findings.size(), 3U);
    EXPECT_EQ(findings[0].problem, "it is DEGRADED: libvirtd does not answer");
    EXPECT_EQ(findings[1].problem, "it is DEGRADED: Open vSwitch does not answer");
    EXPECT_EQ(findings[2].problem, "no VM may take part");
}

TEST(Doctor, ACeilingSaysWhatItRefusesAndWhoRaisesIt) {
    model::HostView host = sound_host();
    host.facts.ceiling = model::Ceiling::kObserve;
    EXPECT_TRUE(says(only_problem(host), "everything but looking is refused"));
    EXPECT_TRUE(says(only_problem(host), "policy.toml"));
    host.facts.ceiling = model::Ceiling::kShadow;
    EXPECT_TRUE(says(only_problem(host), "any change to production is refused"));
}

TEST(Doctor, AHostWithoutShadowsSaysWhatAllowsThem) {
    model::HostView host = sound_host();
    host.facts.may_run_shadows = false;
    EXPECT_TRUE(says(only_problem(host), "run_shadows"));
}

TEST(Doctor, AVmThatCannotBeClonedSaysEveryReason) {
    model::HostView host = sound_host();
    host.facts.vms[0].cloneable = false;
    host.facts.vms[0].reasons = {"vda is raw", "it has a passed-through device"};
    EXPECT_TRUE(says(only_problem(host), "vm shop: it cannot be cloned: vda is raw; it has a passed-through device"));
}

TEST(Doctor, AnUnknownCommandIsNamed) {
    const auto findings =
        find_problems({sound_host()}, {{.id = CommandId("c1"), .state = model::CommandState::kUnknown},
                                       {.id = CommandId("c2"), .state = model::CommandState::kFailed}});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].subject, "command c1");
}

TEST(Doctor, OfARetiredHostNothingIsSaid) {
    model::HostView host = sound_host();
    host.state = model::HostState::kRetired;
    host.facts.vms[0].cloneable = false;
    EXPECT_TRUE(find_problems({host}, {}).empty());
}

}  // namespace
}  // namespace penumbra::cli
