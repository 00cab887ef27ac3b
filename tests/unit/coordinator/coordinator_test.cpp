#include "coordinator/coordinator.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "proto/local/client.hpp"
#include "proto/zmq/enrol.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/scripted_agent.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/turn_until.hpp"

// The whole coordinator over real sockets on loopback and a real store; at the other ends an agent's core and the local
// client.
namespace penumbra::coordinator {
namespace {

namespace api = model::api;
using testing::fails;
using testing::is_ok;
using testing::ScriptedAgent;
using testing::turn_until;

class CoordinatorTest : public ::testing::Test {
 protected:
    CoordinatorTest() { start(); }

    void start() {
        auto started = Coordinator::start(*loop_, clock_, {.settings = settings_},
                                          [this](Coordinator::End, const std::string& why) { ended_ = why; });
        ASSERT_TRUE(is_ok(started));
        coordinator_ = std::move(*started);
        settings_.listen = address(coordinator_->fleet_endpoint());
        settings_.enrol = address(coordinator_->enrol_endpoint());
    }
    static std::string address(const std::string& endpoint) { return endpoint.substr(endpoint.find("//") + 2); }

    // The local client blocks, so it has a thread; the coordinator goes on in this one.
    api::ReplyBody ask(api::RequestBody body) {
        std::atomic<bool> done = false;
        std::optional<Result<api::Reply>> reply;
        std::jthread client([&, request = api::Request{"r" + std::to_string(++requests_), std::move(body)}] {
            reply = local::ask(settings_.socket, request, std::chrono::seconds(30));
            done = true;
        });
        EXPECT_TRUE(turn_until(*loop_, [&] { return done.load(); }, std::chrono::seconds(30)));
        client.join();
        EXPECT_TRUE(is_ok(*reply));
        return reply->has_value() ? std::move((*reply)->body) : api::ReplyBody();
    }
    template <class Body>
    Body ask_for(api::RequestBody body) {
        api::ReplyBody reply = ask(std::move(body));
        if (const auto* failure = std::get_if<api::Failure>(&reply)) ADD_FAILURE() << failure->message;
        return std::holds_alternative<Body>(reply) ? std::get<Body>(reply) : Body();
    }
    // What the coordinator says to a token that `keys` bring; the host's end blocks too.
    Result<zmq::Enrolled> enrol(const std::filesystem::path& keys, const std::string& token) {
        std::atomic<bool> done = false;
        std::optional<Result<zmq::Enrolled>> enrolled;
        std::jthread host([&] {
            enrolled = zmq::enrol(settings_.enrol, server_key(), std::move(*keys::KeyPair::load(keys)), token,
                                  std::chrono::seconds(30));
            done = true;
        });
        EXPECT_TRUE(turn_until(*loop_, [&] { return done.load(); }, std::chrono::seconds(40)));
        host.join();
        return *enrolled;
    }
    keys::PublicKey server_key() { return keys::PublicKey::parse(coordinator_->server_key()).value(); }
    std::filesystem::path new_keys(const std::string& name) {
        const auto file = directory_.path() / name;
        EXPECT_TRUE(is_ok(keys::KeyPair::generate().save(file)));
        return file;
    }
    std::unique_ptr<ScriptedAgent> agent(const std::filesystem::path& keys) {
        model::VmFacts vm{.vm = VmId("11111111-1111-4111-8111-111111111111"), .name = "shop", .running = true};
        return std::make_unique<ScriptedAgent>(
            *loop_, std::move(*keys::KeyPair::load(keys)),
            zmq::FleetClient::Options{.endpoint = coordinator_->fleet_endpoint(), .server_key = server_key()},
            agent::Identity{.host = HostId("hv1"), .agent_version = "0.1.0", .boot_id = "b", .instance = "i"},
            model::HostFacts{.ceiling = model::Ceiling::kChange, .vms = {vm}});
    }
    std::unique_ptr<ScriptedAgent> enrolled_agent() {
        const auto token = ask_for<api::Token>(api::MakeToken{HostId("hv1")});
        EXPECT_EQ(token.server_key, coordinator_->server_key());
        const auto keys = new_keys("hv1.key");
        const auto enrolled = enrol(keys, token.token);
        EXPECT_TRUE(is_ok(enrolled));
        EXPECT_EQ(enrolled->host, HostId("hv1"));
        EXPECT_TRUE(settings_.listen.ends_with(std::to_string(enrolled->fleet_port)));
        return agent(keys);
    }
    bool online() {
        const auto hosts = ask_for<std::vector<model::HostView>>(api::ListHosts{});
        return hosts.size() == 1 && hosts.front().state == model::HostState::kOnline &&
               !hosts.front().facts.vms.empty();
    }
    // Asks the coordinator again until it says so, at most 20 s.
    bool until(const std::function<bool()>& holds) {
        const Instant end = BootClock::now() + std::chrono::seconds(20);
        while (BootClock::now() < end) {
            if (holds()) return true;
            EXPECT_TRUE(is_ok(loop_->turn(std::chrono::milliseconds(20))));
        }
        return false;
    }
    std::optional<model::CommandView> command(const std::string& subject) {
        const auto found = ask_for<std::vector<model::CommandView>>(
            api::ListCommands{CommandId(subject.substr(std::string("command:").size()))});
        return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
    }

    testing::TemporaryDirectory directory_;
    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    SystemClock clock_;
    spec::CoordinatorSettings settings_{.listen = "127.0.0.1:*",
                                        .enrol = "127.0.0.1:*",
                                        .socket = directory_.path() / "coordinator.sock",
                                        .socket_group = "",
                                        .state = directory_.path()};
    std::unique_ptr<Coordinator> coordinator_;
    std::optional<std::string> ended_;
    int requests_ = 0;
};

TEST_F(CoordinatorTest, EnrolsAHostAndHasItsCommandDone) {
    const auto agent = enrolled_agent();
    ASSERT_TRUE(until([&] { return online(); }));
    EXPECT_EQ(ask_for<std::vector<model::VmView>>(api::ListVms{}).front().facts.name, "shop");

    const auto accepted = ask_for<api::Accepted>(api::Replicate{GroupId("shop")});
    ASSERT_TRUE(until([&] { return command(accepted.subject)->state == model::CommandState::kSucceeded; }));
    EXPECT_EQ(agent->executed().size(), 1U);
    const auto groups = ask_for<std::vector<model::GroupView>>(api::ListGroups{});
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups.front().generations.size(), 1U);
    EXPECT_FALSE(ask_for<std::vector<model::EventView>>(api::ListEvents{}).empty());
}

TEST_F(CoordinatorTest, GoesOnAfterARestartWithoutDoingACommandTwice) {
    const auto agent = enrolled_agent();
    ASSERT_TRUE(until([&] { return online(); }));
    agent->hold(true);
    const auto accepted = ask_for<api::Accepted>(api::Replicate{GroupId("shop")});
    ASSERT_TRUE(until([&] { return !agent->executed().empty(); }));

    coordinator_.reset();
    agent->hold(false);  // its end is reported to nobody
    start();
    EXPECT_EQ(coordinator_->describe().substr(0, 7), "epoch 2");
    ASSERT_TRUE(until([&] { return command(accepted.subject)->state == model::CommandState::kSucceeded; }));
    EXPECT_TRUE(until([&] { return online(); }));
    EXPECT_EQ(agent->executed().size(), 1U);
}

TEST_F(CoordinatorTest, HearsNobodyWithoutATokenAndNoTokenTwice) {
    const auto token = ask_for<api::Token>(api::MakeToken{HostId("hv1")});
    const auto thief = new_keys("thief.key");
    EXPECT_TRUE(fails(enrol(thief, "guess"), ErrorCode::kPermissionDenied));
    EXPECT_TRUE(is_ok(enrol(new_keys("hv1.key"), token.token)));
    EXPECT_TRUE(fails(enrol(thief, token.token), ErrorCode::kPermissionDenied));
    const auto stranger = agent(thief);
    const auto known = agent(directory_.path() / "hv1.key");
    ASSERT_TRUE(until([&] { return online(); }));
    EXPECT_FALSE(stranger->core().contact().in_session());
}

TEST_F(CoordinatorTest, IsTheOnlyOneOnItsState) {
    spec::CoordinatorSettings other = settings_;
    other.listen = other.enrol = "127.0.0.1:*";
    EXPECT_TRUE(fails(Coordinator::start(*loop_, clock_, {.settings = other}, {}), ErrorCode::kUnavailable,
                      "another coordinator"));
}

}  // namespace
}  // namespace penumbra::coordinator
