#include "systemd/notify.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "systemd/bus_unit_control.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::systemd {
namespace {

using penumbra::testing::fails;
using penumbra::testing::is_ok;

/// The end of the socket that the service manager has.
class Listener {
 public:
    Listener() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        const std::string path = folder_.path() / "notify";
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
        setenv("NOTIFY_SOCKET", path.c_str(), 1);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    Listener(Listener&&) = delete;
    Listener& operator=(Listener&&) = delete;
    ~Listener() { unsetenv("NOTIFY_SOCKET"); }
    std::string heard() {
        std::array<char, 512> buffer{};
        const ssize_t size = recv(fd_.get(), buffer.data(), buffer.size(), 0);
        return size < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
    }

 private:
    penumbra::testing::TemporaryDirectory folder_;
    UniqueFd fd_;
};

TEST(Notify, SaysReadyAndStatusInOneMessage) {
    Listener manager;
    ASSERT_TRUE(is_ok(notify_ready("in contact with c1")));
    EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=in contact with c1");
    ASSERT_TRUE(is_ok(notify_status("no contact")));
    EXPECT_EQ(manager.heard(), "STATUS=no contact");
    ASSERT_TRUE(is_ok(notify_stopping("")));
    EXPECT_EQ(manager.heard(), "STOPPING=1\nSTATUS=");
}

TEST(Notify, AStatusCannotAssignAnythingElse) {
    Listener manager;
    ASSERT_TRUE(is_ok(notify_status("host a\nMAINPID=1\r\nWATCHDOG_USEC=0")));
    EXPECT_EQ(manager.heard(), "STATUS=host a MAINPID=1  WATCHDOG_USEC=0");
}

TEST(Notify, WithoutAManagerNothingIsToldAndThatIsFine) {
    unsetenv("NOTIFY_SOCKET");
    EXPECT_TRUE(is_ok(notify_ready("alone")));
}

TEST(Notify, TheWatchdogIsFedOftenEnoughThatAStoppedProcessIsNotKilledEarly) {
    Listener manager;
    setenv("WATCHDOG_USEC", "4000000", 1);
    const auto loop = std::move(*EventLoop::create());
    ASSERT_TRUE(is_ok(loop->feed_watchdog()));
    const Instant deadline = BootClock::now() + std::chrono::seconds(4);
    int fed = 0;
    while (fed < 4 && BootClock::now() < deadline) {
        ASSERT_TRUE(is_ok(loop->turn(std::chrono::milliseconds(100))));
        if (manager.heard() == "WATCHDOG=1") ++fed;
    }
    EXPECT_EQ(fed, 4);
    unsetenv("WATCHDOG_USEC");
}

TEST(BusUnitControl, ABusThatIsNotThereIsUnavailable) {
    BusUnitControl control("unix:path=/nowhere/at/all");
    EXPECT_TRUE(fails(control.start("a.service"), ErrorCode::kUnavailable, "starting a.service"));
    EXPECT_TRUE(fails(control.state("a.service"), ErrorCode::kUnavailable));
    EXPECT_TRUE(fails(control.stop("a.service"), ErrorCode::kUnavailable));
    EXPECT_TRUE(fails(control.stop_timer("a"), ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace penumbra::systemd
