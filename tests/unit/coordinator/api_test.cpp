#include "coordinator/api.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "coordinator/store/memory_store.hpp"
#include "proto/keys.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/turn_until.hpp"

namespace penumbra::coordinator {
namespace {

namespace api = model::api;
using testing::turn_until;

class ApiTest : public ::testing::Test {
 protected:
    ApiTest() {
        auto store = std::make_unique<MemoryStore>(disk_);
        worker_image_ = store->open({}).value();
        worker_ = *StoreWorker::start(*loop_, std::move(store),
                                      {.committed = [this](std::uint64_t batch) { core_->step(Committed{batch}); }});
        start(std::move(worker_image_));
        core_->step(Asked{.user = "enrolment", .ask = EnrolHost{HostId("hv1")}});
    }
    void start(Image image) {
        core_.emplace(std::move(image), clock_,
                      CoreDriver::Outputs{.persist = [this](Batch batch) { ASSERT(worker_->commit(std::move(batch))); },
                                          .send = [](const HostId&, const model::Envelope&) {},
                                          .answer = [this](std::uint64_t client,
                                                           const api::Reply& reply) { api_->answer(client, reply); },
                                          .step_down = [](Epoch) {}});
        api_.emplace(Api::Parts{.clock = clock_,
                                .core = *core_,
                                .store = *worker_,
                                .holidays = holidays_,
                                .server_key = "SERVERKEY",
                                .retired = [this](const HostId& host) { retired_ = host; }});
    }
    void import_wave() {
        std::string csv = "time,value\n";
        const auto begin = std::chrono::floor<std::chrono::seconds>(clock_.wall()) - std::chrono::days(14);
        for (int hour = 0; hour < 14 * 24; ++hour)
            csv += fmt::format("{},{}\n", (begin + std::chrono::hours(hour)).time_since_epoch().count(), 5 + hour % 24);
        EXPECT_EQ(ask_for<api::Imported>(api::ImportHistory{GroupId("shop"), "", "h.csv", csv}).points, 14U * 24);
    }
    void measure(std::uint64_t requests) {
        disk_->windows[{.group = GroupId("shop")}][1] = {{.vantage = {.group = GroupId("shop")},
                                                          .sequence = 1,
                                                          .begin = clock_.wall() - std::chrono::seconds(2),
                                                          .length = std::chrono::seconds(1),
                                                          .requests = requests}};
    }
    api::Reply ask(api::RequestBody body, const std::string& request_id = "r") {
        std::optional<api::Reply> reply;
        api_->take("anna", {request_id, std::move(body)}, [&](const api::Reply& given) { reply = given; });
        EXPECT_TRUE(turn_until(*loop_, [&] { return reply.has_value(); }));
        EXPECT_EQ(reply->request_id, request_id);
        return std::move(*reply);
    }
    template <class Body>
    Body ask_for(api::RequestBody body) {
        api::Reply reply = ask(std::move(body));
        if (const auto* failure = std::get_if<api::Failure>(&reply.body)) ADD_FAILURE() << failure->message;
        return std::holds_alternative<Body>(reply.body) ? std::get<Body>(reply.body) : Body();
    }

    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    testing::FakeClock clock_;
    std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
    std::unique_ptr<StoreWorker> worker_;
    std::optional<CoreDriver> core_;
    std::optional<Api> api_;
    HostId retired_;
    Image worker_image_;
    testing::TemporaryDirectory folder_;
    std::filesystem::path holidays_;
};

TEST_F(ApiTest, ListsTheHosts) {
    const auto hosts = ask_for<std::vector<model::HostView>>(api::ListHosts{});
    ASSERT_EQ(hosts.size(), 1U);
    EXPECT_EQ(hosts.front().host, HostId("hv1"));
    EXPECT_EQ(hosts.front().state, model::HostState::kPending);
}

TEST_F(ApiTest, AnswersAChangeOnlyWhenItIsStoredAndOnceARequest) {
    const auto first = ask(api::ResolveCommand{CommandId("none")}, "one");
    ASSERT_TRUE(std::holds_alternative<api::Failure>(first.body));
    EXPECT_EQ(disk_->requests.size(), 1U);
    EXPECT_EQ(ask(api::RetireHost{HostId("hv1")}, "one"), first);
}

TEST_F(ApiTest, KeepsATokensHashAndShowsItWithTheServersKey) {
    const auto token = ask_for<api::Token>(api::MakeToken{HostId("hv2")});
    EXPECT_EQ(token.server_key, "SERVERKEY");
    EXPECT_EQ(disk_->tokens.at(HostId("hv2")).token.hash, keys::token_hash(token.token));
    EXPECT_NE(disk_->tokens.at(HostId("hv2")).token.hash, token.token);
    EXPECT_EQ(disk_->tokens.at(HostId("hv2")).token.expires, clock_.wall() + std::chrono::minutes(10));
}

TEST_F(ApiTest, VoidsTheKeyOfARetiredHost) {
    disk_->keys[HostId("hv1")] = "KEY";
    EXPECT_EQ(ask_for<api::Accepted>(api::RetireHost{HostId("hv1")}).subject, "host:hv1");
    EXPECT_TRUE(disk_->keys.empty());
    EXPECT_EQ(retired_, HostId("hv1"));
}

TEST_F(ApiTest, ForetellsFromAnImportedHistory) {
    import_wave();
    const auto view = ask_for<model::ForecastView>(api::ShowForecast{GroupId("shop"), ""});
    EXPECT_EQ(view.next_day.size(), 24U);
    EXPECT_EQ(view.metric, "requests_per_second");
    EXPECT_EQ(view.present, 0);

    measure(6);
    EXPECT_EQ(ask_for<model::ForecastView>(api::ShowForecast{GroupId("shop"), ""}).present, 6);
}

TEST_F(ApiTest, ReadsTheHolidaysAtEveryForecast) {
    import_wave();
    const std::filesystem::path file = holidays_ = folder_.path() / "days.csv";
    start({});
    const auto failure = ask(api::ShowForecast{GroupId("shop"), ""}).body;
    ASSERT_TRUE(std::holds_alternative<api::Failure>(failure));
    EXPECT_NE(std::get<api::Failure>(failure).message.find("days.csv"), std::string::npos);
    std::ofstream(file) << "2026-12-25,christmas\n";
    EXPECT_EQ(ask_for<model::ForecastView>(api::ShowForecast{GroupId("shop"), ""}).next_day.size(), 24U);
    std::ofstream(file) << "2026-12-25,christmas\nsoon\n";
    const auto wrong = ask(api::ShowForecast{GroupId("shop"), ""}).body;
    ASSERT_TRUE(std::holds_alternative<api::Failure>(wrong));
    EXPECT_NE(std::get<api::Failure>(wrong).message.find("days.csv:2:"), std::string::npos);
}

constexpr std::string_view kLoadTrial =
    "name = \"tomorrow\"\nkind = \"load\"\nshadow = \"s1\"\n[[kpi]]\nname = \"response_time_p95\"\nobjective = 250\n"
    "[load]\nquantile = 0.95\nhorizon = \"1d\"\nsteps = 3\n";

TEST_F(ApiTest, TurnsATrialsAimIntoMultiplesOfThePresent) {
    ShadowRecord shadow{.host = HostId("hv1")};
    shadow.status.spec = {
        .shadow = ShadowId("s1"), .group = GroupId("shop"), .scale = 0.5, .arms = {ArmId("control"), ArmId("treated")}};
    for (const char* arm : {"control", "treated"})
        shadow.status.arms.push_back({.arm = ArmId(arm), .state = model::ArmState::kServing});
    start({.shadows = {shadow}});
    const auto early = ask(api::RunTrial{"load.toml", std::string(kLoadTrial)}, "early");
    EXPECT_EQ(std::get<api::Failure>(early.body).code, ErrorCode::kUnavailable) << "nothing is measured yet";
    import_wave();
    measure(6);
    EXPECT_EQ(ask_for<api::Accepted>(api::RunTrial{"load.toml", std::string(kLoadTrial)}).subject, "trial:tomorrow");
    const auto& spec = core_->fleet().trials.at(TrialId("tomorrow")).status.spec;
    ASSERT_EQ(spec.load_multiples.size(), 3U);
    EXPECT_GT(spec.load_multiples.front(), 1);
    EXPECT_NEAR(spec.load_multiples.back(), 28.0 / 6, 0.5);
}

TEST_F(ApiTest, NamesThePlaceInATrialOrRolloutThatIsWrong) {
    const auto trial = ask(api::RunTrial{"t.toml", "name = \"t\"\nknid = \"aa\"\n"});
    EXPECT_NE(std::get<api::Failure>(trial.body).message.find("t.toml:2:1"), std::string::npos);
    const auto rollout = ask(api::ApplyRollout{"r.toml", "name = 7\n"});
    EXPECT_NE(std::get<api::Failure>(rollout.body).message.find("r.toml:1:"), std::string::npos);
}

TEST_F(ApiTest, NamesTheLineOfAHistoryThatIsNone) {
    const auto reply = ask(api::ImportHistory{GroupId("shop"), "", "h.csv", "1,2\nx\n"});
    EXPECT_NE(std::get<api::Failure>(reply.body).message.find("h.csv:2:"), std::string::npos);
}

TEST_F(ApiTest, RefusesChangesWhileTheDiskIsFullAndGoesOnShowing) {
    api_->refuse_changes("the disk is full: free some space");
    const auto reply = ask(api::MakeToken{HostId("hv2")});
    EXPECT_EQ(std::get<api::Failure>(reply.body).code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(ask_for<std::vector<model::HostView>>(api::ListHosts{}).size(), 1U);
    EXPECT_TRUE(disk_->tokens.empty());
    api_->refuse_changes("");
    EXPECT_FALSE(ask_for<api::Token>(api::MakeToken{HostId("hv2")}).token.empty());
}

TEST_F(ApiTest, ListsEventsAndWindowsOfTheStore) {
    EXPECT_FALSE(ask_for<std::vector<model::EventView>>(api::ListEvents{}).size() > 1);
    disk_->windows[{.group = GroupId("shop")}][1] = {{.vantage = {.group = GroupId("shop")}, .sequence = 1}};
    EXPECT_EQ(ask_for<std::vector<model::KpiWindow>>(
                  api::ListKpi{.vantage = {.group = GroupId("shop")}, .to = WallTime(std::chrono::seconds(1))})
                  .size(),
              1U);
}

}  // namespace
}  // namespace penumbra::coordinator
