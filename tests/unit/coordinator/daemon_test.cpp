#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "proto/local/address.hpp"
#include "proto/local/client.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

// The installed program itself, as systemd starts, kills and stops it.
namespace penumbra::coordinator {
namespace {

namespace api = model::api;
using testing::is_ok;

constexpr auto kPatience = std::chrono::seconds(30);

class DaemonTest : public ::testing::Test {
 protected:
    DaemonTest() : notified_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        const sockaddr_un address = *local::address_of(directory_.path() / "notify");
        EXPECT_EQ(::bind(notified_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        write_settings("");
    }
    ~DaemonTest() override {
        if (child_ > 0) end(SIGKILL);
    }
    DaemonTest(const DaemonTest&) = delete;
    DaemonTest& operator=(const DaemonTest&) = delete;
    DaemonTest(DaemonTest&&) = delete;
    DaemonTest& operator=(DaemonTest&&) = delete;

    void write_settings(const std::string& more) {
        std::ofstream(settings_) << fmt::format(
            "listen = \"127.0.0.1:{}\"\nenrol = \"127.0.0.1:{}\"\nsocket = \"{}\"\nsocket_group = \"\"\nstate = "
            "\"{}\"\n{}",
            free_port(), free_port(), socket_.string(), directory_.path().string(), more);
    }
    static int free_port() {
        const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{.sin_family = AF_INET};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
        EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        return ntohs(address.sin_port);
    }
    void begin(std::vector<std::string> more = {}) {
        const char* program = std::getenv("PENUMBRA_COORDINATOR");
        ASSERT_NE(program, nullptr) << "the test's runner names the program";
        std::vector<std::string> arguments{program, "--settings", settings_.string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        std::vector<char*> pointers;
        for (std::string& argument : arguments)
            pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        std::string notify = "NOTIFY_SOCKET=" + (directory_.path() / "notify").string();
        std::array<char*, 2> environment{notify.data(), nullptr};
        posix_spawn_file_actions_t files;
        ASSERT_EQ(::posix_spawn_file_actions_init(&files), 0);
        ASSERT_EQ(::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, (directory_.path() / "log").c_str(),
                                                     O_WRONLY | O_CREAT | O_TRUNC, 0600),
                  0);
        ASSERT_EQ(::posix_spawn(&child_, program, &files, nullptr, pointers.data(), environment.data()), 0);
        ::posix_spawn_file_actions_destroy(&files);
    }
    // What systemd is told next; empty: nothing came in time.
    std::string told() {
        pollfd waited{notified_.get(), POLLIN, 0};
        const auto most = std::chrono::milliseconds(kPatience).count();
        if (::poll(&waited, 1, static_cast<int>(most)) != 1) return "";
        std::array<char, 4096> text{};
        const ssize_t size = ::recv(notified_.get(), text.data(), text.size(), 0);
        return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, size))};
    }
    // Its exit status, or minus the signal it died of.
    int end(int signal) {
        EXPECT_EQ(::kill(child_, signal), 0);
        return ended();
    }
    int ended() {
        int status = 0;
        EXPECT_EQ(::waitpid(child_, &status, 0), child_);
        child_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    std::string log() {
        std::ifstream file(directory_.path() / "log");
        return {std::istreambuf_iterator<char>(file), {}};
    }
    Result<api::Reply> ask(const std::string& id, api::RequestBody body) {
        return local::ask(socket_, {id, std::move(body)}, kPatience);
    }

    testing::TemporaryDirectory directory_;
    const std::filesystem::path settings_ = directory_.path() / "coordinator.toml";
    const std::filesystem::path socket_ = directory_.path() / "coordinator.sock";
    UniqueFd notified_;
    pid_t child_ = 0;
};

TEST_F(DaemonTest, SaysReadyAnswersAndStopsCleanly) {
    begin();
    EXPECT_NE(told().find("READY=1"), std::string::npos) << log();
    const auto reply = ask("r1", api::ListHosts{});
    ASSERT_TRUE(is_ok(reply));
    EXPECT_TRUE(std::holds_alternative<std::vector<model::HostView>>(reply->body));
    EXPECT_EQ(end(SIGTERM), 0) << log();
    EXPECT_NE(told().find("STOPPING=1"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(DaemonTest, RemembersWhatItAnsweredBeforeItWasKilled) {
    begin();
    ASSERT_NE(told().find("epoch 1"), std::string::npos) << log();
    const auto refused = ask("once", api::Replicate{GroupId("none")});
    ASSERT_TRUE(is_ok(refused));
    const auto token = ask("r2", api::MakeToken{HostId("hv1")});
    ASSERT_TRUE(is_ok(token));
    EXPECT_EQ(end(SIGKILL), -SIGKILL);
    begin();
    ASSERT_NE(told().find("epoch 2"), std::string::npos) << log();
    EXPECT_EQ(*ask("once", api::Replicate{GroupId("other")}), *refused);
    const auto again = ask("r3", api::MakeToken{HostId("hv1")});
    EXPECT_EQ(std::get<api::Token>(again->body).server_key, std::get<api::Token>(token->body).server_key);
    EXPECT_EQ(end(SIGTERM), 0) << log();
}

TEST_F(DaemonTest, BeginsAboveAnEpochThatAgentsHaveSeen) {
    begin({"--epoch-above", "40"});
    EXPECT_NE(told().find("epoch 41"), std::string::npos) << log();
    EXPECT_EQ(end(SIGTERM), 0);
}

TEST_F(DaemonTest, SaysInOneSentenceWhyItDoesNotStart) {
    write_settings("colour = \"red\"\n");
    begin();
    EXPECT_EQ(ended(), 1);
    EXPECT_NE(log().find("coordinator.toml:6:1"), std::string::npos) << log();
    begin({"--help"});
    EXPECT_EQ(ended(), 2);
}

}  // namespace
}  // namespace penumbra::coordinator
