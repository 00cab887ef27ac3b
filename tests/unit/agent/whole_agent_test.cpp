// The whole agent in one process on fakes, in virtual time: one day of a host, with failures and deaths in it.
#include "tests/unit/agent/whole_agent.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/limits/flows.hpp"
#include "replay/report_outbox.hpp"

namespace penumbra::agent {
namespace {

using model::CommandState;
using std::chrono::seconds;
using testing::is_ok;

const model::CreateShadow kCreate{.shadow = {.shadow = ShadowId("s1"),
                                             .group = GroupId("shop"),
                                             .scale = 0.5,
                                             .arms = {ArmId("control"), ArmId("treated")}}};

::testing::AssertionResult succeeded(const model::CommandReport& report) {
    if (report.state == CommandState::kSucceeded) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << model::to_string(report.state) << ": " << report.message;
}

class WholeAgentTest : public ::testing::Test {
 protected:
    void SetUp() override {
        std::filesystem::create_directories(host_.run.path() / "capture" / "shop");
        std::filesystem::create_directories(host_.run.path() / "sandbox" / "s1:treated");
    }
    std::unique_ptr<replay::ReportOutbox> listen(const std::filesystem::path& below) {
        auto outbox = replay::ReportOutbox::listen(agent_->loop(), host_.run.path() / below / "report",
                                                   [this](double rate) { rates_.push_back(rate); });
        EXPECT_TRUE(is_ok(outbox));
        return std::move(*outbox);
    }
    void restart() {
        agent_.reset();
        agent_ = std::make_unique<WholeAgent>(host_);
    }

    WholeHost host_;
    std::unique_ptr<WholeAgent> agent_ = std::make_unique<WholeAgent>(host_);
    std::vector<double> rates_;
};

TEST_F(WholeAgentTest, ReplicatesShadowsReplaysBreaksAndCleansUp) {
    const model::CommandReport first = agent_->order(model::ReplicateGroup{GroupId("shop")});
    ASSERT_TRUE(succeeded(first));
    EXPECT_EQ(std::get<model::Generation>(first.outcome).kind, model::GenerationKind::kFull);
    EXPECT_FALSE(host_.hypervisor.backup_status(kShop)->has_value()) << "production is let go";
    const model::CommandReport second = agent_->order(model::ReplicateGroup{GroupId("shop")});
    ASSERT_TRUE(succeeded(second));
    EXPECT_EQ(std::get<model::Generation>(second.outcome).kind, model::GenerationKind::kIncremental);

    ASSERT_TRUE(succeeded(agent_->order(kCreate)));
    const auto production = listen("capture/shop");
    const auto treated = listen("sandbox/s1:treated");
    ASSERT_TRUE(succeeded(agent_->order(model::StartReplay{.shadow = ShadowId("s1"), .share = 0.5})));
    EXPECT_EQ(*host_.units.state("penumbra-sandbox@s1:control.service"), systemd::UnitState::kActive);
    EXPECT_EQ(host_.control.bridge("br-prod")->mirrors.size(), 1U);
    for (std::uint64_t at = 1; at <= 3; ++at) {
        production->push({.sequence = at, .begin = host_.clock.wall(), .length = seconds(1), .requests = 20});
        treated->push({.sequence = at, .begin = host_.clock.wall(), .length = seconds(1), .requests = 10});
        agent_->pass(seconds(2));
    }
    agent_->pass(seconds(3));
    EXPECT_EQ(agent_->windows().size(), 6U);
    EXPECT_TRUE(production->empty() && treated->empty()) << "what the coordinator has is forgotten at its source";
    ASSERT_TRUE(succeeded(agent_->order(
        model::StartReplay{.shadow = ShadowId("s1"), .share = 0.5, .rate_multiple = 2, .arms = {ArmId("treated")}})));
    agent_->pass(seconds(2));
    EXPECT_NE(std::ranges::find(rates_, 2.0), rates_.end());
    agent_->pass(limits::kMirrorLease);
    EXPECT_EQ(host_.control.bridge("br-prod")->mirrors.size(), 1U) << "the mirror's lease is kept up";

    const model::EffectSpec fault{.id = EffectId("p1"),
                                  .target = {.vm = kShop, .shadow = ShadowId("s1"), .arm = ArmId("treated")},
                                  .lease = seconds(10),
                                  .action = model::Partition{}};
    ASSERT_TRUE(succeeded(agent_->order(model::ApplyEffect{fault})));
    ASSERT_TRUE(succeeded(agent_->order(model::RevertEffect{EffectId("p1")})));
    const model::CommandReport probe =
        agent_->order(model::ProbeIsolation{.shadow = ShadowId("s1"), .arm = ArmId("treated")});
    ASSERT_TRUE(succeeded(probe));
    EXPECT_EQ(std::get<model::IsolationReport>(probe.outcome).arm, ArmId("treated"));
    ASSERT_TRUE(succeeded(agent_->order(model::DestroyShadow{ShadowId("s1")})));
    EXPECT_TRUE(host_.is_clean(1)) << "production is observed on";
    ASSERT_TRUE(succeeded(agent_->order(model::CleanHost{})));
    EXPECT_TRUE(host_.is_clean());
    EXPECT_EQ(*host_.units.state("penumbra-capture@shop.service"), systemd::UnitState::kInactive);
    EXPECT_EQ(host_.dead_man.armed(), 0U);
}

// Whoever speaks with a valid epoch: a fault never meets production, whatever it is said to be aimed at.
TEST_F(WholeAgentTest, AForgedFaultOnProductionIsRefusedAndNothingIsWritten) {
    ASSERT_TRUE(succeeded(agent_->order(kCreate)));
    agent_->pass(2 * limits::kObserveInterval);
    const auto seen = [this] {
        std::vector<std::string> all = *host_.effects_disk.list();
        const auto bridges = host_.control.bridges();
        for (const netisolate::Bridge& bridge : *bridges) {
            const auto flows = host_.control.flows(bridge.name);
            for (const netisolate::Flow& flow : *flows)
                all.push_back(bridge.name + " " + netisolate::describe(flow));
            for (const netisolate::SwitchPort& port : bridge.ports)
                all.push_back(bridge.name + " port " + port.name);
        }
        for (const netisolate::Link& link : host_.links.state().links)
            all.push_back(link.name + (link.settings.up ? " up" : " down"));
        all.push_back(std::to_string(host_.dead_man.armed()) + " dead-men");
        return all;
    };
    const std::vector<std::string> before = seen();
    const auto configuration = host_.hypervisor.configuration(kShop);
    const auto forged = [](const char* id, model::EffectTarget target, std::vector<std::string> interfaces) {
        return model::ApplyEffect{{.id = EffectId(id),
                                   .target = std::move(target),
                                   .lease = seconds(30),
                                   .action = model::Partition{.interfaces = std::move(interfaces)}}};
    };
    const model::CommandReport plain = agent_->order(forged("f1", {.vm = kShop}, {}));
    EXPECT_EQ(plain.state, CommandState::kRejected);
    EXPECT_EQ(plain.rejection, model::Rejection::kPolicy);
    EXPECT_NE(plain.message.find("is production: faults are for arms of a shadow only"), std::string::npos);
    // Production's tap, and a shadow that is not here, behind a target that looks like an arm.
    const model::CommandReport disguised =
        agent_->order(forged("f2", {.vm = kShop, .shadow = ShadowId("s1"), .arm = ArmId("treated")}, {"tap-shop"}));
    EXPECT_EQ(disguised.state, CommandState::kFailed);
    EXPECT_NE(disguised.message.find("tap-shop is not a tap of arm treated"), std::string::npos) << disguised.message;
    EXPECT_EQ(agent_->order(forged("f3", {.vm = kShop, .shadow = ShadowId("s9"), .arm = ArmId("treated")}, {})).state,
              CommandState::kRejected);
    EXPECT_EQ(seen(), before);
    EXPECT_EQ(*host_.hypervisor.configuration(kShop), *configuration);
}

TEST_F(WholeAgentTest, WhatIsWrongWithTheHostIsToldBeforeAnythingIsTried) {
    agent_->pass(seconds(20));
    for (const std::string& trouble : agent_->troubles())
        EXPECT_TRUE(trouble.starts_with("no KPI windows")) << trouble;  // nobody plays the capture here
    EXPECT_EQ(agent_->hints(), std::vector<std::string>());
    host_.sight.reverter_missing = "penumbra-revert cannot be run";
    host_.sight.room = Bytes(1);
    host_.hypervisor.fail_next("describe_host", kBroken);
    agent_->pass(limits::kInventoryInterval + seconds(6));
    const auto says = [](const std::vector<std::string>& sentences, std::string_view part) {
        return std::ranges::any_of(sentences,
                                   [&](const std::string& text) { return text.find(part) != std::string::npos; });
    };
    EXPECT_TRUE(says(agent_->troubles(), "it broke"));
    EXPECT_TRUE(says(agent_->troubles(), "penumbra-revert cannot be run")) << "also while libvirtd does not answer";
    agent_->pass(limits::kInventoryInterval);
    EXPECT_FALSE(says(agent_->troubles(), "it broke"));
    EXPECT_TRUE(says(agent_->hints(), "a first copy of VM shop"));
    agent_->set_policy({.ceiling = model::Ceiling::kChange});
    agent_->pass(seconds(10));
    EXPECT_TRUE(says(agent_->hints(), "vms = [\"shop\"]"));
}

TEST_F(WholeAgentTest, AnEffectInConflictIsATrouble) {
    const model::EffectSpec change{.id = EffectId("c1"),
                                   .target = {.vm = kShop},
                                   .lease = seconds(30),
                                   .action = model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 200}}}};
    ASSERT_TRUE(succeeded(agent_->order(model::ApplyEffect{change})));
    ASSERT_TRUE(is_ok(
        host_.hypervisor.set_iotune(kShop, "vda", {.limits = {{"total_iops_sec", 999}}}, hypervisor::Layer::kLive)));
    agent_->pass(seconds(60));
    ASSERT_FALSE(agent_->troubles().empty());
    EXPECT_TRUE(agent_->troubles().front().starts_with("effect c1 ended in CONFLICT")) << agent_->troubles().front();
}

TEST_F(WholeAgentTest, AnEncryptedVolumeIsCopiedOnlyWhereRootAllowsThat) {
    host_.hypervisor.set_encrypted(kShop, "vda", true);
    agent_->pass(limits::kInventoryInterval + seconds(1));
    for (const model::Operation& order :
         {model::Operation(model::ReplicateGroup{GroupId("shop")}), model::Operation(kCreate)}) {
        const model::CommandReport refused = agent_->order(order);
        EXPECT_EQ(refused.rejection, model::Rejection::kPolicy);
        EXPECT_NE(refused.message.find("plaintext_replicas = true"), std::string::npos) << refused.message;
    }
    EXPECT_FALSE(agent_->facts().vms.front().cloneable);
    EXPECT_NE(agent_->facts().vms.front().reasons.front().find("is encrypted by the host"), std::string::npos);
    agent_->set_policy({.ceiling = model::Ceiling::kChange,
                        .vms = {"*"},
                        .effect_kinds = {"*"},
                        .may_run_shadows = true,
                        .plaintext_replicas = true});
    EXPECT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    EXPECT_TRUE(agent_->facts().vms.front().cloneable);
}

TEST_F(WholeAgentTest, CleaningTakesEverythingOffTheHost) {
    ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    ASSERT_TRUE(succeeded(agent_->order(kCreate)));
    ASSERT_TRUE(succeeded(agent_->order(model::StartReplay{.shadow = ShadowId("s1")})));
    ASSERT_EQ(host_.hypervisor.bitmaps(kShop).size(), 1U);
    ASSERT_TRUE(succeeded(agent_->order(model::CleanHost{})));
    EXPECT_TRUE(host_.is_clean());
    EXPECT_TRUE(host_.hypervisor.checkpoints(kShop)->empty());
    EXPECT_TRUE(host_.hypervisor.bitmaps(kShop).empty());
    EXPECT_TRUE(host_.target.state(kShop)->generations.empty());
    EXPECT_TRUE(host_.effects_disk.list()->empty());
}

// Root lowers the ceiling, and the order comes before the agent has looked again: the effect asks the file itself.
TEST_F(WholeAgentTest, ALoweredCeilingHoldsForTheVeryNextEffect) {
    const model::ApplyEffect change{{.id = EffectId("e1"),
                                     .target = {.vm = kShop},
                                     .lease = seconds(10),
                                     .action = model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 200}}}}};
    agent_->write_policy(model::Policy{.ceiling = model::Ceiling::kShadow, .vms = {"*"}, .effect_kinds = {"*"}});
    EXPECT_EQ(agent_->order(change).state, CommandState::kFailed);
    agent_->write_policy(fail(ErrorCode::kInvalidArgument, "policy.toml:3:1: unknown key"));
    model::ApplyEffect second = change;
    second.effect.id = EffectId("e2");
    const model::CommandReport unreadable = agent_->order(second);
    EXPECT_EQ(unreadable.state, CommandState::kFailed);
    EXPECT_NE(unreadable.message.find("policy.toml:3:1"), std::string::npos) << unreadable.message;
    EXPECT_TRUE(host_.hypervisor.iotune(kShop, "vda", hypervisor::Layer::kLive)->limits.empty());
    agent_->write_policy(model::Policy{.ceiling = model::Ceiling::kChange, .vms = {"*"}, .effect_kinds = {"*"}});
    second.effect.id = EffectId("e3");
    EXPECT_TRUE(succeeded(agent_->order(second)));
}

// A copy is at work, or about to begin, when the host is cleaned: nothing of it comes back afterwards.
TEST_F(WholeAgentTest, ACleanHostStaysCleanWhereverACopyWasAtWork) {
    std::size_t moments = 0;
    for (bool came_in = true; came_in; moments += came_in ? 1 : 0) {
        came_in = false;
        WholeHost host;
        WholeAgent agent(host);
        std::size_t calls = 0;
        host.during_copy = [&] {
            if (calls++ != moments) return;
            came_in = true;
            agent.give(CommandId("clean"), model::CleanHost{});
        };
        const model::CommandReport copy = agent.order(model::ReplicateGroup{GroupId("shop")});
        host.during_copy = nullptr;
        if (!came_in) {
            EXPECT_TRUE(succeeded(copy));
            continue;
        }
        EXPECT_EQ(copy.state, CommandState::kFailed) << moments;
        EXPECT_NE(copy.message.find("cleaned after this copy"), std::string::npos) << copy.message;
        EXPECT_TRUE(succeeded(agent.end_of(CommandId("clean"), seconds(5)))) << moments;
        EXPECT_TRUE(host.is_clean()) << moments;
        EXPECT_FALSE(host.hypervisor.backup_status(kShop)->has_value()) << moments;
        EXPECT_TRUE(host.hypervisor.checkpoints(kShop)->empty()) << moments;
        EXPECT_TRUE(host.target.state(kShop)->generations.empty()) << moments;
        EXPECT_TRUE(host.effects_disk.list()->empty()) << moments;
        EXPECT_TRUE(succeeded(agent.order(model::ReplicateGroup{GroupId("shop")}))) << "a later order counts";
    }
    EXPECT_GE(moments, 2U) << "before the cut and after it";
}

TEST_F(WholeAgentTest, CleaningTakesBitmapsOutOfAVmThatIsOff) {
    for (const bool stays_off : {false, true}) {
        ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
        host_.hypervisor.power_off(kShop);
        if (!stays_off) host_.hypervisor.power_on(kShop);
        ASSERT_EQ(host_.hypervisor.bitmaps(kShop).size(), 1U);
        ASSERT_TRUE(succeeded(agent_->order(model::CleanHost{})));
        EXPECT_TRUE(host_.hypervisor.bitmaps(kShop).empty()) << "stays off: " << stays_off;
        host_.hypervisor.power_on(kShop);
    }
}

TEST_F(WholeAgentTest, CleaningKeepsReplicasThatKnowOfABitmapWhichStays) {
    ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    host_.hypervisor.fail_next("delete_checkpoint", kBroken);
    EXPECT_EQ(agent_->order(model::CleanHost{}).state, CommandState::kFailed);
    EXPECT_EQ(host_.replicas_removed, 0U);
    ASSERT_TRUE(succeeded(agent_->order(model::CleanHost{})));
    EXPECT_EQ(host_.replicas_removed, 1U);
    EXPECT_TRUE(host_.hypervisor.bitmaps(kShop).empty());
}

TEST_F(WholeAgentTest, WhatJobsLeftThatEndedWithoutTheAgentGoesAtItsStartAndAfterACopy) {
    const auto left = [&](const char* name) {
        std::ofstream(host_.scratch / name) << "old blocks";
        return host_.scratch / name;
    };
    const auto stale = left("vm.vda.scratch");
    const auto foreign = left("notes.txt");
    restart();
    agent_->pass(seconds(1));
    EXPECT_FALSE(std::filesystem::exists(stale));
    EXPECT_TRUE(std::filesystem::exists(foreign));
    left("vm.vda.scratch");
    ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    EXPECT_FALSE(std::filesystem::exists(stale));
}

TEST_F(WholeAgentTest, AFailedCopyLetsProductionGo) {
    for (const char* verb : {"list_vms", "checkpoints", "begin_backup", "open", "end_backup"}) {
        host_.hypervisor.fail_next(verb, kBroken);
        const model::CommandReport report = agent_->order(model::ReplicateGroup{GroupId("shop")});
        agent_->pass(limits::kBackupLease + seconds(5));
        EXPECT_FALSE(host_.hypervisor.backup_status(kShop)->has_value()) << verb << ": " << report.message;
    }
    const std::vector<std::byte> data(64UL * 1024, std::byte{7});
    ASSERT_TRUE(is_ok(host_.hypervisor.guest_write(kShop, "vda", 0, data)));
    const std::vector<std::string> before = host_.hypervisor.bitmaps(kShop);
    host_.hypervisor.break_reads_after(0);
    EXPECT_EQ(agent_->order(model::ReplicateGroup{GroupId("shop")}).state, CommandState::kFailed);
    EXPECT_FALSE(host_.hypervisor.backup_status(kShop)->has_value());
    EXPECT_TRUE(host_.hypervisor.checkpoints(kShop)->empty()) << "something of ours is in an operator's way";
    EXPECT_EQ(host_.hypervisor.bitmaps(kShop), before) << "production has a bitmap that nobody needs";
}

TEST_F(WholeAgentTest, WithoutRoomForACopyProductionIsNotTouched) {
    const Bytes reserve = reserve_of(host_.scratch_disk);
    const auto refused = [this] {
        const model::CommandReport report = agent_->order(model::ReplicateGroup{GroupId("shop")});
        EXPECT_EQ(report.error_code, ErrorCode::kResourceExhausted) << report.message;
        EXPECT_NE(report.message.find("make room"), std::string::npos) << report.message;
        EXPECT_TRUE(host_.hypervisor.checkpoints(kShop)->empty());
    };
    host_.target.set_space(reserve, reserve - Bytes(1));
    refused();
    host_.target.set_space(reserve, Bytes(1ULL << 40U));
    host_.scratch_disk.available = reserve;
    refused();
    host_.scratch_disk.available = reserve + Bytes(2);
    EXPECT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
}

// Somebody else fills a disk: before the cut, before the first byte, during the copy.
TEST_F(WholeAgentTest, ACopyIsGivenUpBeforeItTakesProductionsReserve) {
    constexpr Bytes kAll(1ULL << 40U);
    ASSERT_TRUE(is_ok(host_.hypervisor.guest_write(kShop, "vda", 0, std::vector(64UL * 1024, std::byte{7}))));
    const Bytes below = reserve_of(host_.scratch_disk) - Bytes(1);
    for (const bool of_replicas : {true, false}) {
        for (int full_at = 1; full_at <= 3; ++full_at) {
            host_.at_look = [&, look = 0]() mutable {
                if (++look != full_at) return;
                if (of_replicas)
                    host_.target.set_space(kAll, below);
                else
                    host_.scratch_disk.available = below;
            };
            const model::CommandReport report = agent_->order(model::ReplicateGroup{GroupId("shop")});
            EXPECT_EQ(report.error_code, ErrorCode::kResourceExhausted) << full_at << ": " << report.message;
            EXPECT_FALSE(host_.hypervisor.backup_status(kShop)->has_value());
            EXPECT_TRUE(host_.hypervisor.checkpoints(kShop)->empty());
            EXPECT_TRUE(host_.target.state(kShop)->generations.empty());
            host_.target.set_space(kAll, kAll);
            host_.scratch_disk.available = kAll;
        }
    }
    host_.at_look = {};
    EXPECT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
}

TEST_F(WholeAgentTest, GenerationsGoWhenNeitherTheNewestNorAnArmNeedsThem) {
    const auto numbers = [this] {
        std::vector<std::uint64_t> all;
        const auto state = host_.target.state(kShop);
        for (const hypervisor::ReplicaManifest& manifest : state->generations)
            all.push_back(manifest.generation);
        return all;
    };
    using Numbers = std::vector<std::uint64_t>;
    ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    ASSERT_TRUE(succeeded(agent_->order(kCreate)));  // on the first
    ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    host_.hypervisor.crash(kShop);  // the next one is full
    ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    EXPECT_EQ(numbers(), (Numbers{1, 3}));
    restart();
    host_.hypervisor.crash(kShop);
    ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    EXPECT_EQ(numbers(), (Numbers{1, 4})) << "an arm of an earlier life stands on the first";
    ASSERT_TRUE(succeeded(agent_->order(model::DestroyShadow{ShadowId("s1")})));
    EXPECT_EQ(numbers(), (Numbers{4}));
    ASSERT_TRUE(succeeded(agent_->order(model::ReplicateGroup{GroupId("shop")})));
    EXPECT_EQ(numbers(), (Numbers{4, 5}));
}

TEST_F(WholeAgentTest, AShadowThatFillsTheDiskEndsWithItsReplayAndTheHostSaysSo) {
    ASSERT_TRUE(succeeded(agent_->order(kCreate)));
    ASSERT_TRUE(succeeded(agent_->order(model::StartReplay{.shadow = ShadowId("s1")})));
    host_.storage.set_available({});
    agent_->pass(seconds(15));
    EXPECT_TRUE(host_.hypervisor.list_shadows()->empty());
    EXPECT_EQ(*host_.units.state("penumbra-sandbox@s1:treated.service"), systemd::UnitState::kInactive);
    ASSERT_EQ(agent_->shadows().size(), 1U);
    EXPECT_EQ(agent_->shadows().front().arms.front().state, model::ArmState::kGone);
    const auto said = [](const std::string& trouble) {
        return trouble.find("shadow s1 was ended") != std::string::npos;
    };
    EXPECT_EQ(std::ranges::count_if(agent_->troubles(), said), 1);
    ASSERT_TRUE(succeeded(agent_->order(model::DestroyShadow{ShadowId("s1")})));
    EXPECT_TRUE(host_.is_clean(1));
    agent_->pass(seconds(15));
    EXPECT_EQ(std::ranges::count_if(agent_->troubles(), said), 0);
}

TEST_F(WholeAgentTest, AReplayThatCannotBeginLeavesNothingButTheObservation) {
    ASSERT_TRUE(succeeded(agent_->order(kCreate)));
    host_.units.add_units("penumbra-sandbox@", false);
    EXPECT_EQ(agent_->order(model::StartReplay{.shadow = ShadowId("s1")}).state, CommandState::kFailed);
    agent_->pass(seconds(2));
    ASSERT_TRUE(succeeded(agent_->order(model::DestroyShadow{ShadowId("s1")})));
    EXPECT_TRUE(host_.is_clean(1));
    EXPECT_EQ(*host_.units.state("penumbra-capture@shop.service"), systemd::UnitState::kActive);
}

TEST_F(WholeAgentTest, AReplayGoesOnAfterARestart) {
    ASSERT_TRUE(succeeded(agent_->order(kCreate)));
    ASSERT_TRUE(succeeded(agent_->order(model::StartReplay{.shadow = ShadowId("s1")})));
    agent_->pass(seconds(1));
    restart();
    agent_->pass(seconds(10));
    EXPECT_EQ(host_.control.bridge("br-prod")->mirrors.size(), 1U);
    EXPECT_EQ(*host_.units.state("penumbra-sandbox@s1:treated.service"), systemd::UnitState::kActive);
    ASSERT_EQ(agent_->shadows().size(), 1U);
    ASSERT_TRUE(succeeded(agent_->order(model::StopReplay{.shadow = ShadowId("s1")})));
    EXPECT_EQ(host_.control.bridge("br-prod")->mirrors.size(), 1U) << "the observation's";
    EXPECT_EQ(*host_.units.state("penumbra-sandbox@s1:treated.service"), systemd::UnitState::kInactive);
}

// The agent dies at every step it writes down, of a day from replica to replay; the next life says how each command
// ended, and after a clean-up there is nothing left on the host.
TEST_F(WholeAgentTest, DyingAnywhereLeavesNothingThatIsNotKnown) {
    bool finished = false;
    for (std::size_t index = 0; !finished; index += 3) {
        WholeHost host;
        auto agent = std::make_unique<WholeAgent>(host);
        host.points.cut_at(index);
        std::uint64_t begun = 0;
        try {
            for (const model::Operation& operation :
                 {model::Operation(model::ReplicateGroup{GroupId("shop")}), model::Operation(kCreate),
                  model::Operation(model::StartReplay{.shadow = ShadowId("s1")})}) {
                ++begun;
                ASSERT_TRUE(succeeded(agent->order(operation)));
            }
            finished = true;
        } catch (const journal::fake::Cut&) {
        }
        host.points.cut_at({});
        agent.reset();
        WholeAgent next(host);
        next.pass(seconds(20));
        EXPECT_FALSE(host.hypervisor.backup_status(kShop)->has_value()) << "point " << index;
        EXPECT_TRUE(host.hypervisor.checkpoints(kShop)->empty()) << "point " << index << ": in an operator's way";
        const model::CommandReport clean = next.order(CommandId("clean"), model::CleanHost{}, seconds(30));
        EXPECT_TRUE(succeeded(clean)) << "point " << index << " of command " << begun;
        EXPECT_TRUE(host.is_clean()) << "point " << index << " of command " << begun;
        EXPECT_TRUE(host.hypervisor.bitmaps(kShop).empty());
    }
}

}  // namespace
}  // namespace penumbra::agent
