// The program `penumbra` as an operator starts it, against a coordinator's local socket in this process.

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "proto/local/server.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/turn_until.hpp"

namespace penumbra::cli {
namespace {

using model::api::ReplyBody;
using model::api::Request;
using penumbra::testing::turn_until;

struct Ended {
    int code = -1;
    std::string out;
    std::string err;
};

class Program : public ::testing::Test {
 protected:
    void serve(std::function<ReplyBody(const Request&)> answer) {
        server_ = std::move(*local::LocalServer::create(
            *loop_, {.path = socket_},
            [this, answer = std::move(answer)](const Request& request, const local::Peer& peer,
                                               const local::Answer& reply) {
                users_.push_back(peer.user);
                reply({.request_id = request.request_id, .body = answer(request)});
            }));
    }

    Ended run(std::vector<std::string> arguments) {
        const char* program = std::getenv("PENUMBRA_PROGRAM");
        EXPECT_NE(program, nullptr) << "meson gives the program's path";
        arguments.insert(arguments.begin(), {"penumbra", "--socket", socket_.native()});
        std::vector<char*> argv;
        for (std::string& argument : arguments)
            argv.push_back(argument.data());
        argv.push_back(nullptr);
        std::array<int, 2> out{};
        std::array<int, 2> err{};
        EXPECT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(err.data(), O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        posix_spawn_file_actions_adddup2(&actions, err[1], 2);
        pid_t pid = 0;
        EXPECT_EQ(::posix_spawn(&pid, program, &actions, nullptr, argv.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        ::close(out[1]);
        ::close(err[1]);
        const UniqueFd out_end(out[0]);
        const UniqueFd err_end(err[0]);
        Ended ended;
        int status = 0;
        // The program blocks on us, so the loop turns until it has ended.
        EXPECT_TRUE(turn_until(
            *loop_,
            [&] {
                drain(out_end, ended.out);
                drain(err_end, ended.err);
                return ::waitpid(pid, &status, WNOHANG) == pid;
            },
            std::chrono::seconds(60)));
        drain(out_end, ended.out);
        drain(err_end, ended.err);
        ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return ended;
    }
    static void drain(const UniqueFd& fd, std::string& into) {
        ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
        std::array<char, 4096> chunk{};
        ssize_t count = 0;
        while ((count = ::read(fd.get(), chunk.data(), chunk.size())) > 0)
            into.append(chunk.data(), static_cast<std::size_t>(count));
    }

    penumbra::testing::TemporaryDirectory folder_;
    std::filesystem::path socket_ = folder_.path() / "coordinator.sock";
    std::unique_ptr<EventLoop> loop_ = std::move(*EventLoop::create());
    std::unique_ptr<local::LocalServer> server_;
    std::vector<std::string> users_;
};

TEST_F(Program, AListIsATableOrJson) {
    serve([](const Request& request) -> ReplyBody {
        EXPECT_TRUE(std::holds_alternative<model::api::ListHosts>(request.body));
        EXPECT_FALSE(request.request_id.empty());
        return std::vector<model::HostView>{{.host = HostId("hv1"), .state = model::HostState::kOnline}};
    });
    const Ended table = run({"host", "list"});
    EXPECT_EQ(table.code, 0) << table.err;
    EXPECT_NE(table.out.find("hv1   ONLINE"), std::string::npos) << table.out;
    const Ended json = run({"host", "list", "-o", "json"});
    EXPECT_EQ(json.code, 0) << json.err;
    EXPECT_EQ(nlohmann::json::parse(json.out)[0]["host"], "hv1");
    EXPECT_EQ(users_.size(), 2U);
}

TEST_F(Program, AShadowIsAskedForAsTyped) {
    bool made = false;
    serve([&made](const Request& request) -> ReplyBody {
        if (const auto* make = std::get_if<model::api::MakeShadow>(&request.body)) {
            made = make->shadow == model::ShadowSpec{.shadow = ShadowId("s1"),
                                                     .group = GroupId("shop"),
                                                     .scale = 0.5,
                                                     .arms = {ArmId("control"), ArmId("treated")}};
            return model::api::Accepted{"command:7"};
        }
        if (std::holds_alternative<model::api::ListCommands>(request.body)) {
            return std::vector<model::CommandView>{{.id = CommandId("7"),
                                                    .host = HostId("hv1"),
                                                    .resource = ResourceId("group:shop"),
                                                    .state = model::CommandState::kSucceeded}};
        }
        return std::vector<model::ShadowView>{};
    });
    const Ended ended =
        run({"shadow", "create", "--group", "shop", "--name", "s1", "--scale", "0.5", "--arms", "control,treated"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_TRUE(made);
}

TEST_F(Program, WhatIsRefusedIsOneSentenceAndACode) {
    serve([](const Request&) -> ReplyBody {
        return model::api::Failure{ErrorCode::kPermissionDenied, "hv1's ceiling is observe"};
    });
    const Ended ended = run({"shadow", "destroy", "s1"});
    EXPECT_EQ(ended.code, 11);
    EXPECT_EQ(ended.err, "penumbra: hv1's ceiling is observe\n");
    EXPECT_EQ(ended.out, "");
}

TEST_F(Program, WithoutACoordinatorItSaysSo) {
    const Ended ended = run({"host", "list"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_NE(ended.err.find("no coordinator listens at"), std::string::npos);
}

TEST_F(Program, ACommandLineThatIsWrongAsksNobody) {
    EXPECT_EQ(run({"host"}).code, 2);
    EXPECT_EQ(run({"nonsense"}).code, 2);
    EXPECT_EQ(run({"host", "list", "-o", "yaml"}).code, 2);
    EXPECT_EQ(run({"shadow", "create", "--group", "shop", "--name", "s1", "--scale", "2"}).code, 2);
    EXPECT_EQ(run({"host", "token", "a b"}).code, 2);
    EXPECT_EQ(run({"kpi", "list", "--group", "shop", "--arm", "control"}).code, 2);
}

TEST_F(Program, HelpAndVersionNeedNoCoordinator) {
    const Ended help = run({"--help"});
    EXPECT_EQ(help.code, 0);
    for (const std::string_view noun : {"host", "doctor", "vm", "group", "replicate", "shadow", "trial", "rollout",
                                        "history", "forecast", "command", "events", "kpi", "report"})
        EXPECT_NE(help.out.find(noun), std::string::npos) << noun;
    EXPECT_EQ(run({"--version"}).code, 0);
}

TEST_F(Program, DoctorFailsWhenSomethingIsWrong) {
    serve([](const Request& request) -> ReplyBody {
        if (std::holds_alternative<model::api::ListCommands>(request.body)) return std::vector<model::CommandView>{};
        return std::vector<model::HostView>{
            {.host = HostId("hv1"), .state = model::HostState::kSuspect, .reason = "silent for 17 s"}};
    });
    const Ended ended = run({"doctor"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_NE(ended.out.find("it is SUSPECT: silent for 17 s"), std::string::npos) << ended.out;
}

}  // namespace
}  // namespace penumbra::cli
