// A systemd of the test's own: a user manager, started by the script beside this file in namespaces and cgroups of its
// own, reached at its private socket.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "systemd/bus_unit_control.hpp"
#include "tests/contract/systemd/rig.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::systemd::contract {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

void write_unit(const fs::path& path, const std::string& text) {
    std::ofstream(path) << text;
}

class SystemdRig final : public Rig {
 public:
    SystemdRig() {
        fs::create_directory(units());
        write_unit(units() / "default.target", "[Unit]\nDescription=Nothing to start\nDefaultDependencies=no\n");
        write_unit(units() / "good@.service",
                   "[Service]\nType=notify\nNotifyAccess=all\n"
                   "ExecStart=/bin/sh -c 'sleep 0.3; systemd-notify --ready; exec sleep 1000'\n");
        write_unit(units() / "bad@.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
        manager_ = fork();
        if (manager_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            execl("/bin/bash", "bash", PRIVATE_MANAGER, folder_.path().c_str(), nullptr);
            _exit(127);
        }
    }
    SystemdRig(const SystemdRig&) = delete;
    SystemdRig& operator=(const SystemdRig&) = delete;
    SystemdRig(SystemdRig&&) = delete;
    SystemdRig& operator=(SystemdRig&&) = delete;
    ~SystemdRig() override {
        // The script ends its manager and takes the cgroups away.
        kill(manager_, SIGTERM);
        waitpid(manager_, nullptr, 0);
    }

    [[nodiscard]] bool is_up() {
        return until([&] {
            const auto state = control_.state("default.target");
            return state.has_value() && *state == UnitState::kActive;
        });
    }
    UnitControl& control() override { return control_; }
    std::vector<std::string> command(const std::string& name, Course course) override {
        std::string script =
            fmt::format("echo run >>'{0}/{1}'; n=$(wc -l <'{0}/{1}'); ", folder_.path().native(), name);
        if (course == Course::kFailsTwice) script += "[ $n -gt 2 ]";
        if (course == Course::kHangsOnce) script += "[ $n -gt 1 ] || exec sleep 1000";
        return {"/bin/sh", "-c", script};
    }
    std::size_t runs(const std::string& name) override {
        std::ifstream file(folder_.path() / name);
        return static_cast<std::size_t>(
            std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
    }
    bool until(const std::function<bool()>& holds) override {
        const Instant end = BootClock::now() + 20s;
        while (!holds()) {
            if (BootClock::now() > end) return false;
            poll(nullptr, 0, 20);
        }
        return true;
    }

 private:
    [[nodiscard]] fs::path units() const { return folder_.path() / "units"; }

    penumbra::testing::TemporaryDirectory folder_;
    pid_t manager_ = -1;
    BusUnitControl control_{fmt::format("unix:path={}/systemd/private", folder_.path().native())};
};

}  // namespace

std::unique_ptr<Rig> make_rig(std::string& why) {
    if (geteuid() != 0) {
        why = "a systemd of its own needs root";
        return nullptr;
    }
    if (!fs::exists("/lib/systemd/systemd")) {
        why = "/lib/systemd/systemd is not installed";
        return nullptr;
    }
    auto rig = std::make_unique<SystemdRig>();
    EXPECT_TRUE(rig->is_up()) << "the private systemd does not start";
    return rig;
}

}  // namespace penumbra::systemd::contract
