#include "coordinator/core/views.hpp"

#include <gtest/gtest.h>

#include "tests/unit/coordinator/stage.hpp"

namespace penumbra::coordinator {
namespace {

namespace api = model::api;

template <class View>
std::vector<View> list(const Stage& stage, const api::RequestBody& request) {
    const std::optional<api::ReplyBody> reply = view(stage.fleet(), request, Instant(std::chrono::hours(2)));
    const auto* views = reply.has_value() ? std::get_if<std::vector<View>>(&*reply) : nullptr;
    EXPECT_NE(views, nullptr);
    return views == nullptr ? std::vector<View>() : *views;
}

TEST(Views, ShowWhatTheFleetKnows) {
    Stage stage;
    stage.ask(api::Replicate{GroupId("shop")});
    stage.ask(api::ProbeShadow{.shadow = ShadowId("s1"), .arm = ArmId("treated")});
    stage.pass(3);
    const auto hosts = list<model::HostView>(stage, api::ListHosts{});
    ASSERT_EQ(hosts.size(), 1U);
    EXPECT_EQ(hosts.front().state, model::HostState::kOnline);
    EXPECT_EQ(hosts.front().reason, "in contact");
    EXPECT_EQ(list<model::VmView>(stage, api::ListVms{}).front().facts.name, "shop");
    EXPECT_EQ(list<model::ShadowView>(stage, api::ListShadows{}).front().status.arms.size(), 2U);
    const auto commands = list<model::CommandView>(stage, api::ListCommands{});
    ASSERT_EQ(commands.size(), 2U);
    EXPECT_EQ(commands.front().operation, "replicate_group");
    EXPECT_EQ(commands.front().asked_by, "user:ada");
    EXPECT_EQ(commands.front().progress, 1);
    EXPECT_EQ(list<model::KpiWindow>(stage, api::ListKpi{.vantage = {.group = GroupId("shop")},
                                                         .from = WallTime{},
                                                         .to = WallTime(std::chrono::hours(600'000))})
                  .size(),
              3U);
    EXPECT_TRUE(list<model::TrialStatus>(stage, api::ListTrials{}).empty());
}

TEST(Views, EveryTroubleAndHintOfAHostIsShownWhileItIsInContact) {
    Stage stage;
    stage.troubles = {"libvirtd does not answer", "Open vSwitch does not answer"};
    stage.hints = {"no VM may take part"};
    stage.pass(1);
    const auto hosts = list<model::HostView>(stage, api::ListHosts{});
    ASSERT_EQ(hosts.size(), 1U);
    EXPECT_EQ(hosts.front().state, model::HostState::kDegraded);
    EXPECT_EQ(hosts.front().reason, stage.troubles.front());
    EXPECT_EQ(hosts.front().troubles, stage.troubles);
    EXPECT_EQ(hosts.front().hints, stage.hints);
    stage.deaf = true;
    stage.pass(60);
    const auto silent = list<model::HostView>(stage, api::ListHosts{});
    EXPECT_NE(silent.front().state, model::HostState::kDegraded);
    EXPECT_TRUE(silent.front().troubles.empty() && silent.front().hints.empty());
}

TEST(Views, ACommandThatIsQueuedSaysWhatItWaitsFor) {
    Stage stage;
    stage.deaf = true;
    stage.ask(api::Replicate{GroupId("shop")});
    stage.ask(api::Replicate{GroupId("shop")});
    const auto commands = list<model::CommandView>(stage, api::ListCommands{});
    ASSERT_EQ(commands.size(), 2U);
    EXPECT_EQ(commands.back().state, model::CommandState::kQueued);
    EXPECT_EQ(commands.back().reason, "waits for replicate_group");
}

TEST(Views, AnUnknownNameIsAFailureThatSaysWhich) {
    Stage stage;
    for (const api::RequestBody& request :
         {api::RequestBody{api::ListTrials{TrialId("x")}}, api::RequestBody{api::ListRollouts{RolloutId("x")}},
          api::RequestBody{api::ListCommands{CommandId("x")}}, api::RequestBody{api::ListVms{HostId("x")}},
          api::RequestBody{api::ListIsolation{ShadowId("x")}}}) {
        const std::optional<api::ReplyBody> reply = view(stage.fleet(), request, Instant{});
        ASSERT_TRUE(reply.has_value());
        const auto* failure = std::get_if<api::Failure>(&*reply);
        ASSERT_NE(failure, nullptr);
        EXPECT_EQ(failure->code, ErrorCode::kNotFound);
        EXPECT_NE(failure->message.find("'x'"), std::string::npos);
    }
}

TEST(Views, WhatChangesSomethingIsNoQuestion) {
    Stage stage;
    EXPECT_FALSE(view(stage.fleet(), api::Replicate{GroupId("shop")}, Instant{}).has_value());
    EXPECT_FALSE(view(stage.fleet(), api::ListEvents{}, Instant{}).has_value());
}

}  // namespace
}  // namespace penumbra::coordinator
