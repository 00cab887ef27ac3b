#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temporary_directory.hpp"

namespace penumbra::netisolate::testing_values {

/// ovsdb-server and ovs-vswitchd of dev/setup's cache, for one test: in a folder of its own and, as this whole process
/// from here on, in a network namespace of its own. Ended by their pids.
class PrivateSwitch {
 public:
    PrivateSwitch() {
        const char* cache = std::getenv("PENUMBRA_CACHE");
        root_ = std::filesystem::path(cache != nullptr ? cache : "/var/cache/penumbra") / "ovs-switch";
        if (!std::filesystem::exists(root_ / "usr/sbin/ovs-vswitchd")) {
            reason_ = root_.string() + " has no ovs-vswitchd: run dev/setup";
            return;
        }
        if (::unshare(CLONE_NEWNET) != 0) {
            reason_ = "no network namespace can be made: run as root";
            return;
        }
        const std::string schema = (root_ / "usr/share/openvswitch/vswitch.ovsschema").string();
        if (!finish(start({"usr/bin/ovsdb-tool", "create", file("conf.db"), schema}))) {
            reason_ = "ovsdb-tool made no database";
            return;
        }
        server_ = start({"usr/sbin/ovsdb-server", file("conf.db"), "--remote=punix:" + file("db.sock"),
                         "--pidfile=" + file("ovsdb-server.pid"), "--unixctl=" + file("ovsdb.ctl")});
        // both calls wait for their daemon themselves, with a deadline
        if (!finish(
                start({"usr/bin/ovs-vsctl", "--db=unix:" + file("db.sock"), "--no-wait", "--retry", "-t10", "init"}))) {
            reason_ = "ovsdb-server did not come up";
            return;
        }
        start_daemon();
        if (!finish(start({"usr/bin/ovs-vsctl", "--db=unix:" + file("db.sock"), "--retry", "-t20", "set",
                           "Open_vSwitch", ".", "external_ids:test=1"}))) {
            reason_ = "ovs-vswitchd did not come up";
        }
    }
    PrivateSwitch(const PrivateSwitch&) = delete;
    PrivateSwitch& operator=(const PrivateSwitch&) = delete;
    PrivateSwitch(PrivateSwitch&&) = delete;
    PrivateSwitch& operator=(PrivateSwitch&&) = delete;
    ~PrivateSwitch() {
        end(daemon_);
        end(server_);
    }

    [[nodiscard]] bool ready() const { return reason_.empty(); }
    [[nodiscard]] const std::string& reason() const { return reason_; }
    [[nodiscard]] std::filesystem::path run_dir() const { return folder_.path(); }

    void kill_daemon() { end(daemon_); }
    void start_daemon() {
        daemon_ = start({"usr/sbin/ovs-vswitchd", "unix:" + file("db.sock"), "--pidfile=" + file("ovs-vswitchd.pid"),
                         "--log-file=" + file("vswitchd.log"), "-vconsole:off"});
    }

 private:
    [[nodiscard]] std::string file(const char* name) const { return (folder_.path() / name).string(); }

    [[nodiscard]] pid_t start(std::vector<std::string> words) const {
        words.front() = (root_ / words.front()).string();
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const pid_t child = ::fork();
        if (child != 0) return child;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::setenv("OVS_RUNDIR", folder_.path().c_str(), 1);
        ::setenv("OVS_SYSCONFDIR", folder_.path().c_str(), 1);
        const int null = ::open("/dev/null", O_RDWR);
        for (const int fd : {0, 1, 2})
            ::dup2(null, fd);
        ::execv(arguments.front(), arguments.data());
        ::_exit(127);
    }
    static bool finish(pid_t child) {
        int status = 0;
        return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    static void end(pid_t child) {
        if (child <= 0) return;
        ::kill(child, SIGKILL);
        static_cast<void>(finish(child));
    }

    testing::TemporaryDirectory folder_;
    std::filesystem::path root_;
    std::string reason_;
    pid_t server_ = -1;
    pid_t daemon_ = -1;
};

}  // namespace penumbra::netisolate::testing_values
