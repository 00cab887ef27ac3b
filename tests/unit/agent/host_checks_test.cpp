#include "agent/core/host_checks.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/limits/flows.hpp"

namespace penumbra::agent {
namespace {

using model::Ceiling;

constexpr std::uint64_t kGibibyte = 1ULL << 30U;

/// A host on which nothing is wrong and everything that root may allow is allowed.
struct HostChecks : ::testing::Test {
    model::Policy policy{.ceiling = Ceiling::kChange, .vms = {"shop"}, .effect_kinds = {"*"}, .may_run_shadows = true};
    model::HostFacts facts{.memory_available = Bytes(8 * kGibibyte),
                           .vms = {{.vm = VmId("6f2c"),
                                    .name = "shop",
                                    .memory = Bytes(kGibibyte),
                                    .disks = {{.target = "vda", .virtual_size = Bytes(4 * kGibibyte)}}}}};
    std::set<std::string> served{"shop"};
    HostSight sight{.room = Bytes(100 * kGibibyte)};

    [[nodiscard]] std::vector<Check> found() const { return checks_of(policy, facts, served, sight); }
    /// The only finding; severity and text.
    void expect_only(Severity severity, std::initializer_list<std::string_view> words) const {
        const std::vector<Check> checks = found();
        ASSERT_EQ(checks.size(), 1U);
        EXPECT_EQ(checks[0].severity, severity);
        EXPECT_FALSE(checks[0].remedy.empty());
        for (const std::string_view word : words)
            EXPECT_NE(text_of(checks[0]).find(word), std::string::npos) << text_of(checks[0]) << "\nlacks " << word;
    }
};

TEST_F(HostChecks, ASoundHostHasNothingToSay) {
    EXPECT_TRUE(found().empty());
    sight = {};
    facts.memory_available = Bytes();
    EXPECT_TRUE(found().empty()) << "what nobody could look at is not called wrong";
}

TEST_F(HostChecks, ASwitchThatIsDownIsWrongWhereSandboxesMayBe) {
    sight.switch_silent = "no socket";
    expect_only(Severity::kError, {"Open vSwitch does not answer", "no socket", "systemctl start openvswitch-switch"});
    policy.ceiling = Ceiling::kReplicate;
    expect_only(Severity::kHint, {"Open vSwitch"});
}

TEST_F(HostChecks, AReverterThatIsMissingIsWrongWhateverIsAllowed) {
    sight.reverter_missing = "/usr/libexec/penumbra/penumbra-revert: No such file or directory";
    policy.ceiling = Ceiling::kReplicate;
    expect_only(Severity::kError, {"penumbra-revert", "so none is made", "install penumbra again"});
}

TEST_F(HostChecks, AppArmorWithoutOurRuleIsWrongWhereCopiesMayBe) {
    sight.apparmor_confines = true;
    expect_only(Severity::kError, {"AppArmor", "/run/penumbra/backup/*", "local/abstractions/libvirt-qemu"});
    policy.ceiling = Ceiling::kObserve;
    expect_only(Severity::kHint, {"AppArmor"});
    sight.apparmor_allows_backups = true;
    EXPECT_TRUE(found().empty());
}

TEST_F(HostChecks, APolicyThatNamesNothingSaysTheLineToWrite) {
    policy.vms.clear();
    expect_only(Severity::kHint, {"no VM may take part", "vms = [\"shop\"]", "/etc/penumbra/policy.toml"});
    policy.vms = {"shop"};
    policy.effect_kinds.clear();
    expect_only(Severity::kHint, {"no kind of effect", "effects = [\"domain.iotune\"", "/etc/penumbra/policy.toml"});
}

TEST_F(HostChecks, AVmWithoutAServiceIsNamedUnlessItTakesNoPart) {
    facts.vms.push_back({.vm = VmId("77aa"), .name = "bank"});
    EXPECT_TRUE(found().empty()) << "bank takes no part";
    policy.vms = {"*"};
    expect_only(Severity::kHint, {"neither measured nor replayed: bank", "vm = \"bank\"", "services.toml"});
    served.insert("77aa");
    EXPECT_TRUE(found().empty()) << "it is named by its UUID";
    served.clear();
    for (std::size_t i = 0; i < limits::kVmsNamedMax; ++i)
        facts.vms.push_back({.vm = VmId("u" + std::to_string(i)), .name = "vm" + std::to_string(i)});
    expect_only(Severity::kHint, {"shop, bank", "and 2 more"});
}

TEST_F(HostChecks, MemoryForNoArmIsSaidWhereArmsMayRun) {
    facts.memory_available = Bytes(kGibibyte / 2);
    expect_only(Severity::kHint, {"not even the smallest arm", "896 MiB", "512 MiB are available"});
    facts.memory_available = Bytes(896ULL << 20U);
    EXPECT_TRUE(found().empty());
    facts.memory_available = Bytes(kGibibyte / 2);
    policy.may_run_shadows = false;
    EXPECT_TRUE(found().empty());
}

TEST_F(HostChecks, RoomForNoFirstCopyIsSaidOfTheLargestVmThatHasNone) {
    sight.room = Bytes(3 * kGibibyte);
    expect_only(Severity::kHint, {"first copy of VM shop", "4096 MiB", "3072 MiB are free", "/var/lib/penumbra-agent"});
    policy.ceiling = Ceiling::kObserve;
    EXPECT_TRUE(found().empty()) << "nothing may be copied";
    policy.ceiling = Ceiling::kReplicate;
    sight.replicated = {VmId("6f2c")};
    EXPECT_TRUE(found().empty()) << "its first copy is made";
    sight = {.room = Bytes(4 * kGibibyte)};
    EXPECT_TRUE(found().empty());
}

}  // namespace
}  // namespace penumbra::agent
