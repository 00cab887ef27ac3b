// Shadows on a host in memory: whole, or not at all, whatever fails and whenever the agent dies.
#include "agent/shadow_flow.hpp"

#include <gtest/gtest.h>

#include "base/limits/flows.hpp"
#include "tests/unit/agent/host_on_fakes.hpp"

namespace penumbra::agent {
namespace {

using model::ArmState;
using model::CommandState;
using std::chrono::seconds;
using testing::is_ok;

class ShadowFlowTest : public ::testing::Test {
 protected:
    void make() {
        life_->shadows.execute(Life::create());
        life_->pass(seconds(2));
        ASSERT_TRUE(life_->news.end_of("create").has_value());
        ASSERT_EQ(life_->news.end_of("create")->state, CommandState::kSucceeded)
            << life_->news.end_of("create")->message;
    }
    void restart() {
        life_.reset();
        life_ = std::make_unique<Life>(host_);
    }
    /// The disk of the arms has so much above the reserve.
    void set_spare(Bytes spare) { host_.storage.set_available(reserve_of(*host_.storage.room()) + spare); }
    netisolate::IsolationPlan plan(const std::string& arm) {
        return *life_->shadows.records().at(ShadowId("s1")).plan(ArmId(arm));
    }

    Host host_;
    std::unique_ptr<Life> life_ = std::make_unique<Life>(host_);
};

TEST_F(ShadowFlowTest, MakesAShadowThatServesAndTakesItAway) {
    make();
    ASSERT_EQ(life_->news.shadows().size(), 1U);
    const model::ShadowStatus& status = life_->news.shadows().front();
    EXPECT_EQ(status.generation, 1U);
    ASSERT_EQ(status.arms.size(), 2U);
    EXPECT_EQ(status.arms[0].state, ArmState::kServing);
    EXPECT_EQ(status.arms[1].domain, "s1.treated");
    EXPECT_EQ(status.fidelity_gaps.size(), 1U);
    EXPECT_EQ(host_.control.bridge(plan("control").bridge)->settings.datapath, netisolate::DatapathType::kNetdev);
    life_->shadows.execute(Life::destroy());
    EXPECT_EQ(life_->news.end_of("destroy")->state, CommandState::kSucceeded);
    EXPECT_TRUE(host_.is_clean());
    EXPECT_TRUE(life_->news.shadows().empty());
}

TEST_F(ShadowFlowTest, SaysWhichCardsBringTheShadowNoTraffic) {
    host_.hypervisor.add_vm(
        {.vm = kShop,
         .name = "shop",
         .disks = {hypervisor::fake::blank_disk("vda", 1U << 20U)},
         .nics = {{.target = "tap-shop", .mac = "52:54:00:10:00:10", .network = "br-prod", .model = "virtio"},
                  {.target = "tap-back", .mac = "52:54:00:10:00:11", .network = "br-back", .model = "virtio"}}});
    make();
    const std::vector<std::string>& gaps = life_->news.shadows().front().fidelity_gaps;
    ASSERT_EQ(gaps.size(), 2U);
    EXPECT_EQ(gaps[1],
              "only the traffic of card 52:54:00:10:00:10 is measured and replayed; what comes in by 52:54:00:10:00:11 "
              "is not");
}

TEST_F(ShadowFlowTest, WaitsUntilTheServiceAnswersAndGivesUpWhenItDoesNot) {
    host_.serves = false;
    life_->shadows.execute(Life::create());
    life_->pass(limits::kArmBootMax - seconds(1));
    EXPECT_FALSE(life_->news.end_of("create").has_value());
    life_->pass(seconds(2));
    ASSERT_TRUE(life_->news.end_of("create").has_value());
    EXPECT_EQ(life_->news.end_of("create")->error_code, ErrorCode::kDeadlineExceeded);
    EXPECT_TRUE(host_.is_clean());
}

// An arm of these has 512 MiB and 128 MiB for its QEMU, and 512 MiB stay with the host.
TEST_F(ShadowFlowTest, RefusesWhatTheHostHasNoRoomFor) {
    host_.hypervisor.set_memory_available(Bytes((2 * 640ULL + 512) << 20U) - Bytes(1));
    life_->shadows.execute(Life::create());
    ASSERT_TRUE(life_->news.end_of("create").has_value());
    EXPECT_EQ(life_->news.end_of("create")->error_code, ErrorCode::kResourceExhausted);
    EXPECT_TRUE(host_.is_clean());
    host_.hypervisor.set_memory_available(Bytes((2 * 640ULL + 512) << 20U));
    make();
}

TEST_F(ShadowFlowTest, WhatStandingArmsHaveNotTouchedYetIsTheirs) {
    make();
    model::Command second = Life::create("second");
    std::get<model::CreateShadow>(second.operation).shadow.shadow = ShadowId("s2");
    host_.hypervisor.set_memory_available(Bytes((4 * 640ULL + 512) << 20U) - Bytes(1));
    life_->shadows.execute(second);
    ASSERT_TRUE(life_->news.end_of("second").has_value());
    EXPECT_EQ(life_->news.end_of("second")->error_code, ErrorCode::kResourceExhausted);
    EXPECT_NE(life_->news.end_of("second")->message.find("1280 MiB for what the arms here have not touched"),
              std::string::npos);
}

TEST_F(ShadowFlowTest, AllArmsTogetherGetHalfOfTheHost) {
    model::Command large = Life::create();
    auto& spec = std::get<model::CreateShadow>(large.operation).shadow;
    while (spec.arms.size() < 7)  // 4.4 of 8 GiB, and 6 are available
        spec.arms.emplace_back("a" + std::to_string(spec.arms.size()));
    life_->shadows.execute(large);
    ASSERT_TRUE(life_->news.end_of("create").has_value());
    EXPECT_EQ(life_->news.end_of("create")->error_code, ErrorCode::kResourceExhausted);
    EXPECT_NE(life_->news.end_of("create")->message.find("half of the host's"), std::string::npos);
    EXPECT_TRUE(host_.is_clean());
}

// ---- production's disk

TEST_F(ShadowFlowTest, ArmsThatProductionsDiskHasNoRoomForAreRefused) {
    const Bytes needed = limits::kArmDiskNeed + limits::kArmDiskNeed;
    set_spare(needed - Bytes(1));
    life_->shadows.execute(Life::create());
    ASSERT_TRUE(life_->news.end_of("create").has_value());
    EXPECT_EQ(life_->news.end_of("create")->error_code, ErrorCode::kResourceExhausted);
    EXPECT_NE(life_->news.end_of("create")->message.find("the file system of /arms"), std::string::npos);
    EXPECT_TRUE(host_.is_clean());
    set_spare(needed);
    make();
}

TEST_F(ShadowFlowTest, ArmsThatTakeProductionsReserveAreEndedAndTheRecordSaysWhy) {
    make();
    set_spare(Bytes(1000));
    host_.storage.grow("s1/treated", Bytes(1000));
    life_->pass(seconds(1));
    EXPECT_EQ(host_.hypervisor.list_shadows()->size(), 2U) << "the reserve is whole";
    host_.storage.grow("s1/treated", Bytes(1));
    life_->pass(seconds(1));
    ASSERT_EQ(life_->news.shadows().size(), 1U);
    const model::ShadowStatus ended = life_->news.shadows().front();
    for (const model::ArmStatus& arm : ended.arms) {
        EXPECT_EQ(arm.state, ArmState::kGone);
        EXPECT_NE(arm.reason.find("the file system of /arms has"), std::string::npos) << arm.reason;
    }
    ASSERT_EQ(life_->news.troubles("shadows").size(), 1U);
    EXPECT_NE(life_->news.troubles("shadows").front().find("shadow s1 was ended"), std::string::npos);
    EXPECT_TRUE(host_.hypervisor.list_shadows()->empty());
    EXPECT_EQ(host_.control.bridges()->size(), 1U);
    EXPECT_TRUE(host_.storage.owners()->empty()) << "what it took is given back";
    host_.storage.set_available({});
    life_->pass(seconds(3));
    EXPECT_EQ(life_->news.shadows().front(), ended) << "said once, whatever the disk does then";
    restart();
    EXPECT_EQ(life_->news.shadows().front(), ended);
    life_->shadows.execute(Life::destroy());
    EXPECT_EQ(life_->news.end_of("destroy")->state, CommandState::kSucceeded);
    EXPECT_TRUE(host_.is_clean());
    EXPECT_TRUE(life_->news.troubles("shadows").empty());
}

TEST_F(ShadowFlowTest, AShadowThatTakesLittleOutlivesTheOneThatTookTheRoom) {
    make();
    model::Command second = Life::create("second");
    auto& spec = std::get<model::CreateShadow>(second.operation).shadow;
    spec.shadow = ShadowId("s2");
    spec.arms = {ArmId("control")};
    life_->shadows.execute(second);
    life_->pass(seconds(2));
    ASSERT_EQ(life_->news.end_of("second")->state, CommandState::kSucceeded) << life_->news.end_of("second")->message;
    set_spare(limits::kArmDiskNeed + Bytes(1000));
    host_.storage.grow("s1/control", Bytes(1000));
    host_.storage.grow("s2/control", limits::kArmDiskNeed + Bytes(1));
    life_->pass(seconds(3));
    EXPECT_EQ(host_.hypervisor.list_shadows()->size(), 2U);
    EXPECT_EQ(life_->shadows.records().at(ShadowId("s1")).status.arms[0].state, ArmState::kServing);
    EXPECT_EQ(life_->shadows.records().at(ShadowId("s2")).status.arms[0].state, ArmState::kGone);
}

TEST_F(ShadowFlowTest, AShadowThatFillsTheDiskWhileItBootsIsTakenAwayAndItsCommandSaysWhy) {
    host_.serves = false;
    life_->shadows.execute(Life::create());
    host_.storage.set_available({});
    life_->pass(seconds(1));
    ASSERT_TRUE(life_->news.end_of("create").has_value());
    EXPECT_EQ(life_->news.end_of("create")->error_code, ErrorCode::kResourceExhausted);
    EXPECT_NE(life_->news.end_of("create")->message.find("make room"), std::string::npos);
    EXPECT_TRUE(host_.is_clean());
}

TEST_F(ShadowFlowTest, EndingAShadowIsTriedAgainUntilAllOfItIsGone) {
    make();
    host_.hypervisor.fail_next("remove", kBroken);
    host_.storage.set_available({});
    life_->pass(seconds(1));
    ASSERT_EQ(life_->news.troubles("shadows").size(), 1U);
    EXPECT_NE(life_->news.troubles("shadows").front().find("not all of it is gone"), std::string::npos);
    host_.storage.set_available(Bytes(1ULL << 40U));
    life_->pass(seconds(1));
    EXPECT_EQ(life_->news.troubles("shadows").front().find("not all of it is gone"), std::string::npos);
    EXPECT_TRUE(host_.hypervisor.list_shadows()->empty());
    EXPECT_EQ(host_.control.bridges()->size(), 1U);
}

TEST_F(ShadowFlowTest, ADiskThatCannotBeLookedAtIsSaidAndEndsNothing) {
    make();
    host_.storage.fail_call(1, kBroken);
    life_->pass(seconds(1));
    ASSERT_EQ(life_->news.troubles("shadows").size(), 1U);
    EXPECT_NE(life_->news.troubles("shadows").front().find("it broke"), std::string::npos);
    life_->pass(seconds(1));
    EXPECT_TRUE(life_->news.troubles("shadows").empty());
    EXPECT_EQ(host_.hypervisor.list_shadows()->size(), 2U);
}

// The agent dies at every step of writing down that it ends a shadow; the next life goes on with it.
TEST_F(ShadowFlowTest, DyingWhileAShadowIsEndedLeavesItWholeOrEnded) {
    bool finished = false;
    for (std::size_t index = 0; !finished; ++index) {
        Host host;
        auto life = std::make_unique<Life>(host);
        life->shadows.execute(Life::create());
        life->pass(seconds(2));
        host.storage.set_available({});
        host.points.cut_at(index);
        try {
            life->pass(seconds(1));
            finished = true;
        } catch (const journal::fake::Cut&) {
        }
        host.points.cut_at({});
        life.reset();
        // Room has come back meanwhile: what was written down is done all the same.
        host.storage.set_available(Bytes(1ULL << 40U));
        Life next(host);
        next.pass(seconds(1));
        const bool ended = next.news.shadows().front().arms.front().state == ArmState::kGone;
        EXPECT_EQ(host.hypervisor.list_shadows()->size(), ended ? 0U : 2U) << "point " << index;
        EXPECT_EQ(next.news.shadows().front().arms.back().state, ended ? ArmState::kGone : ArmState::kServing);
        next.shadows.execute(Life::destroy());
        EXPECT_TRUE(host.is_clean()) << "point " << index;
    }
}

TEST_F(ShadowFlowTest, KnowsWhatArmsStandOnUnlessARecordIsDamaged) {
    host_.storage.commit(kShop, 7);
    make();
    EXPECT_EQ(life_->shadows.stood_on(kShop, 9)->generations, std::set<std::uint64_t>{7});
    EXPECT_EQ(life_->shadows.stood_on(kShop, 9)->newest, 9U);
    EXPECT_TRUE(life_->shadows.stood_on(VmId("other"), 9)->generations.empty());
    host_.shadows_disk.corrupt("s1.shadow", "nothing");
    restart();
    EXPECT_TRUE(testing::fails(life_->shadows.stood_on(kShop, 9), ErrorCode::kDataLoss));
    ASSERT_TRUE(is_ok(life_->shadows.remove_everything()));
    EXPECT_TRUE(is_ok(life_->shadows.stood_on(kShop, 9)));
}

TEST_F(ShadowFlowTest, RefusesASecondOneOfThatName) {
    make();
    life_->shadows.execute(Life::create("again"));
    EXPECT_EQ(life_->news.end_of("again")->error_code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(host_.hypervisor.list_shadows()->size(), 2U);
}

// Every call of every port fails once: afterwards there is a whole shadow or none.
TEST_F(ShadowFlowTest, AFailureAtAnyCallLeavesNothingHalfMade) {
    const auto broken_at = [](auto fail_nth, std::uint64_t calls_max) {
        std::uint64_t failed = 0;
        for (std::uint64_t nth = 1; nth <= calls_max; ++nth) {
            Host host;
            Life life(host);
            fail_nth(host, nth);
            life.shadows.execute(Life::create());
            life.pass(seconds(2));
            const auto end = life.news.end_of("create");
            ASSERT_TRUE(end.has_value()) << "call " << nth;
            if (end->state == CommandState::kSucceeded) continue;
            ++failed;
            EXPECT_TRUE(host.is_clean()) << "call " << nth << ": " << end->message;
        }
        EXPECT_GT(failed, 0U);
    };
    broken_at([](Host& host, std::uint64_t nth) { host.control.fail_call(nth, kBroken); }, 30);
    broken_at([](Host& host, std::uint64_t nth) { host.links.fail_call(nth, kBroken); }, 60);
    broken_at([](Host& host, std::uint64_t nth) { host.storage.fail_call(nth, kBroken); }, 4);
    const std::vector<std::string> verbs{"list_vms", "domain_xml", "describe_host", "define", "start", "agent_answers"};
    for (const std::string& verb : verbs)
        broken_at([&](Host& host, std::uint64_t) { host.hypervisor.fail_next(verb, kBroken); }, 1);
    for (const char* verb : {"define", "start"})
        broken_at([&](Host& host, std::uint64_t) { host.hypervisor.lose_answer_of_next(verb, kBroken); }, 1);
}

// The agent dies at every step of writing its record down, and the next life puts things right.
TEST_F(ShadowFlowTest, DyingAnywhereLeavesAWholeShadowOrNoneAfterTheNextStart) {
    bool finished = false;
    for (std::size_t index = 0; !finished; ++index) {
        Host host;
        auto life = std::make_unique<Life>(host);
        host.points.cut_at(index);
        try {
            life->shadows.execute(Life::create());
            life->pass(seconds(2));
            finished = true;
        } catch (const journal::fake::Cut&) {
        }
        host.points.cut_at({});
        life.reset();
        Life next(host);
        next.shadows.recover(Life::create());
        ASSERT_TRUE(next.news.end_of("create").has_value());
        if (next.news.end_of("create")->state == CommandState::kSucceeded) {
            EXPECT_EQ(next.news.shadows().front().arms.size(), 2U);
            EXPECT_EQ(host.hypervisor.list_shadows()->size(), 2U);
        } else {
            EXPECT_TRUE(host.is_clean()) << "point " << index;
        }
    }
}

TEST_F(ShadowFlowTest, KnowsAndGuardsItAgainAfterARestart) {
    make();
    restart();
    ASSERT_EQ(life_->news.shadows().size(), 1U);
    EXPECT_EQ(life_->news.shadows().front().arms.front().state, ArmState::kServing);
    netisolate::FlowBundle leak;
    leak.add.push_back({.key = {.table = 0, .priority = 60001, .match = ""},
                        .actions = {{.kind = netisolate::ActionKind::kNormal, .text = "NORMAL"}}});
    ASSERT_TRUE(is_ok(host_.control.apply(plan("control").bridge, leak)));
    life_->watch.round();
    EXPECT_EQ(life_->news.shadows().front().arms.front().state, ArmState::kSevered);
}

TEST_F(ShadowFlowTest, ALeakCutsTheArmOffAndItsStatusNamesTheFlow) {
    make();
    netisolate::FlowBundle leak;
    leak.add.push_back({.key = {.table = 0, .priority = 60001, .match = ""},
                        .actions = {{.kind = netisolate::ActionKind::kNormal, .text = "NORMAL"}}});
    const netisolate::IsolationPlan treated = plan("treated");
    ASSERT_TRUE(is_ok(host_.control.apply(treated.bridge, leak)));
    life_->watch.round();
    const model::ShadowStatus& status = life_->news.shadows().front();
    EXPECT_EQ(status.arms[0].state, ArmState::kServing);
    EXPECT_EQ(status.arms[1].state, ArmState::kSevered);
    EXPECT_NE(status.arms[1].reason.find("NORMAL"), std::string::npos) << status.arms[1].reason;
    const std::vector<std::string> troubles = life_->news.troubles("shadows");
    ASSERT_EQ(troubles.size(), 1U);
    EXPECT_TRUE(troubles[0].starts_with("arm treated of shadow s1 was cut off")) << troubles[0];
    EXPECT_NE(troubles[0].find("shadow destroy s1"), std::string::npos);
    EXPECT_FALSE(host_.links.state().link("", treated.guests.front().tap)->settings.up);
    restart();
    EXPECT_EQ(life_->news.shadows().front().arms[1].state, ArmState::kSevered);
}

TEST_F(ShadowFlowTest, SaysThatAnArmIsGoneWhenItsDomainIs) {
    make();
    ASSERT_TRUE(is_ok(host_.hypervisor.remove("s1.control")));
    restart();
    EXPECT_EQ(life_->news.shadows().front().arms[0].state, ArmState::kGone);
    life_->shadows.execute(Life::destroy());
    EXPECT_TRUE(host_.is_clean());
}

TEST_F(ShadowFlowTest, AFailedDestructionIsGoneOnWith) {
    make();
    host_.hypervisor.fail_next("remove", kBroken);
    life_->shadows.execute(Life::destroy());
    EXPECT_EQ(life_->news.end_of("destroy")->state, CommandState::kFailed);
    life_->shadows.execute(Life::destroy());
    EXPECT_EQ(life_->news.end_of("destroy")->state, CommandState::kSucceeded);
    EXPECT_TRUE(host_.is_clean());
}

TEST_F(ShadowFlowTest, CleaningTakesStraysAwayToo) {
    make();
    ASSERT_TRUE(is_ok(host_.shadows_disk.remove("s1.shadow")));
    restart();
    EXPECT_TRUE(life_->news.shadows().empty());
    EXPECT_FALSE(host_.is_clean());
    EXPECT_TRUE(is_ok(life_->shadows.remove_everything()));
    EXPECT_TRUE(host_.is_clean());
}

// ---- effects on what stands

model::Command partition(const std::string& shadow) {
    return Life::command(
        "fault",
        model::ApplyEffect{
            {.id = EffectId("p1"),
             .target = {.vm = kShop, .shadow = ShadowId(shadow), .arm = ArmId(shadow.empty() ? "" : "treated")},
             .lease = seconds(30),
             .action = model::Partition{}}});
}

TEST_F(ShadowFlowTest, AFaultIsDoneOnAnArmAndNowhereElse) {
    life_->effects.execute(partition("s1"));
    EXPECT_EQ(life_->news.end_of("fault")->state, CommandState::kFailed);
    make();
    life_->effects.execute(partition("s1"));
    ASSERT_EQ(life_->news.end_of("fault")->state, CommandState::kSucceeded) << life_->news.end_of("fault")->message;
    life_->watch.round();
    EXPECT_EQ(life_->news.shadows().front().arms[1].state, ArmState::kServing) << "a fault is no leak";
    life_->pass(seconds(31));
    EXPECT_EQ(life_->news.effects().front().state, model::EffectState::kReverted);
    life_->effects.execute(partition(""));
    EXPECT_EQ(life_->news.end_of("fault")->state, CommandState::kFailed);
}

TEST_F(ShadowFlowTest, AChangeMayNameItsVmAsPeopleDo) {
    life_->effects.execute(Life::command(
        "quota", model::ApplyEffect{{.id = EffectId("q1"),
                                     .target = {.vm = VmId("shop")},
                                     .lease = seconds(60),
                                     .action = model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 200}}}}}));
    ASSERT_EQ(life_->news.end_of("quota")->state, CommandState::kSucceeded) << life_->news.end_of("quota")->message;
    EXPECT_EQ(life_->news.effects().front().state, model::EffectState::kVerified);
    life_->effects.execute(Life::command(
        "nobody", model::ApplyEffect{{.id = EffectId("q2"),
                                      .target = {.vm = VmId("nobody")},
                                      .lease = seconds(60),
                                      .action = model::IoTune{.disk = "vda", .limits = {{"total_iops_sec", 200}}}}}));
    EXPECT_EQ(life_->news.end_of("nobody")->state, CommandState::kFailed);
}

}  // namespace
}  // namespace penumbra::agent
