#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "netisolate/netlink/netlink_links.hpp"
#include "netisolate/ovs/ovs_switch.hpp"
#include "netisolate/probe/frame_ends.hpp"
#include "netisolate/probe/hostile_frames.hpp"
#include "netisolate/probe/isolation_probe.hpp"
#include "netisolate/sandbox_network.hpp"
#include "tests/contract/netisolate/private_switch.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

using testing::is_ok;

class Isolation : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { running = new testing_values::PrivateSwitch; }
    static void TearDownTestSuite() { delete running; }
    void SetUp() override {
        if (!running->ready()) GTEST_SKIP() << running->reason();
        Bridge production{.name = "br-prod", .settings = {.datapath = DatapathType::kNetdev}};
        production.ports = {{.name = "prod0", .type = "internal"}, {.name = "prod1", .type = "internal"}};
        ASSERT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{AddBridge{production}})));
        for (const char* name : {"prod0", "prod1", "br-prod"})
            bring_up(name);
    }
    void TearDown() override {
        if (!running->ready()) return;
        EXPECT_TRUE(is_ok(tear_down(plan.owner, control, links)));
        EXPECT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{RemoveBridge{{.name = "br-prod"}}})));
        EXPECT_FALSE(std::filesystem::exists(running->run_dir() / "netns"));
    }
    static void bring_up(const std::string& name) {
        const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0));
        ifreq request{};
        name.copy(request.ifr_name, IFNAMSIZ - 1);
        request.ifr_flags = IFF_UP;
        ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &request), 0) << name;
    }
    [[nodiscard]] std::vector<std::string> inside() const {
        std::vector<std::string> names{plan.veth};
        for (const GuestPort& guest : plan.guests)
            names.push_back(guest.tap);
        return names;
    }

    [[nodiscard]] HostileAim aim_at_the_other_card() const {
        HostileAim aim{.own = plan.guests.front().mac,
                       .other = plan.guests.back().mac,
                       .own_address = packet::IpAddress::v4(0xc0000207),
                       .other_address = packet::IpAddress::v4(0xc0000208)};
        aim.mark.fill(std::byte{0x5a});
        return aim;
    }

    static testing_values::PrivateSwitch* running;
    OvsSwitch control{running->run_dir()};
    NetlinkLinks links{running->run_dir() / "netns"};
    const IsolationPlan plan = testing_values::two_card_plan();
    const ProbeGround ground{.control = control, .links = links, .spaces = running->run_dir() / "netns"};
};
testing_values::PrivateSwitch* Isolation::running = nullptr;

TEST_F(Isolation, BuildingTwiceChangesNothingAndTheAuditIsClean) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
}

TEST_F(Isolation, NoFrameOfTheCorpusLeavesTheSandbox) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    const auto report = probe_isolation(plan, ground);
    ASSERT_TRUE(is_ok(report));
    EXPECT_GE(report->corpus_frames, 500U);
    EXPECT_EQ(report->seen_on_production, 0U) << report->reason;
    // the same frames where nothing isolates: all but those that the device is too small for
    EXPECT_GE(report->positive_control_seen, report->corpus_frames * 95 / 100);
    for (const char* name : {"prod0", "prod1", "br-prod"})
        EXPECT_NE(std::ranges::find(report->listened_on, name), report->listened_on.end()) << name;
    EXPECT_TRUE(audit_sandbox(plan, *observe(control, links, plan.owner), *control.datapath_flows()).empty());
}

TEST_F(Isolation, ATapThatAGuestHoldsIsProbedByATwinThatIsGoneAfterwards) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    const auto guest = TapEnd::open(plan.guests.front().tap);
    ASSERT_TRUE(is_ok(guest));
    const std::size_t bridges = control.bridges()->size();
    const auto report = probe_isolation(plan, ground);
    ASSERT_TRUE(is_ok(report));
    EXPECT_NE(report->reason.find("a twin"), std::string::npos) << report->reason;
    EXPECT_EQ(report->seen_on_production, 0U) << report->reason;
    EXPECT_EQ(control.bridges()->size(), bridges);
}

TEST_F(Isolation, ATapOnTheProductionBridgeIsSeen) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    // a port more on production's bridge, as a wrong hand would plug it: what goes to the trap comes out there
    const SwitchPort port{.name = plan.guests.front().tap, .owner = plan.owner};
    ASSERT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{RemovePort{plan.bridge, port}})));
    ASSERT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{AddPort{"br-prod", port}})));
    Listener listener = *Listener::open();
    TapEnd guest = *TapEnd::open(port.name);
    const HostileAim aim = aim_at_the_other_card();
    const auto frames = hostile_frames(aim);
    std::set<std::string> where;
    for (std::size_t begin = 0; begin < frames.size(); begin += limits::kProbeBatchFrames) {
        for (std::size_t i = begin; i < std::min(frames.size(), begin + limits::kProbeBatchFrames); ++i)
            ASSERT_TRUE(is_ok(guest.send(frames[i])));
        ASSERT_TRUE(is_ok(control.settle()));
        ASSERT_TRUE(is_ok(listener.take([&](const std::string& link, packet::ByteView frame) {
            if (hostile_index(aim.mark, frame).has_value()) where.insert(link);
        })));
    }
    EXPECT_TRUE(where.contains("prod0") && where.contains("prod1") && where.contains("br-prod"));
}

TEST_F(Isolation, ARuleThatLeadsOutIsSeenByTheProbe) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    // the sandbox's own bridge reaches the host: its LOCAL port is up and a rule floods to it
    bring_up(plan.bridge);
    const Flow hostile{.key = {.priority = 65000}, .actions = {{.text = "LOCAL"}}};
    ASSERT_TRUE(is_ok(control.apply(plan.bridge, {.add = {hostile}})));
    const auto report = probe_isolation(plan, ground);
    ASSERT_TRUE(is_ok(report));
    EXPECT_GT(report->seen_on_production, 500U);
    EXPECT_NE(report->reason.find(plan.bridge), std::string::npos) << report->reason;
}

TEST_F(Isolation, NothingLeavesWhileTheSwitchIsKilledAndComesBack) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    Listener listener = *Listener::open();
    TapEnd guest = *TapEnd::open(plan.guests.front().tap);
    const HostileAim aim = aim_at_the_other_card();
    const auto frames = hostile_frames(aim);
    std::set<std::string> where;
    const auto send_round = [&] {
        for (std::size_t i = 0; i < limits::kProbeBatchFrames; ++i)
            static_cast<void>(guest.send(frames[i * 7 % frames.size()]));
        ASSERT_TRUE(is_ok(listener.take([&](const std::string& link, packet::ByteView frame) {
            if (hostile_index(aim.mark, frame).has_value()) where.insert(link);
        })));
    };
    send_round();
    running->kill_daemon();
    for (int round = 0; round < 5; ++round)
        send_round();
    running->start_daemon();
    const Instant deadline = BootClock::now() + std::chrono::seconds(20);
    while (!control.flows(plan.bridge).has_value() && BootClock::now() < deadline)
        send_round();
    for (int round = 0; round < 5; ++round) {
        send_round();
        ASSERT_TRUE(is_ok(control.settle()));
    }
    for (const std::string& name : inside())
        where.erase(name);
    EXPECT_TRUE(where.empty()) << *where.begin();
    // The rules went with the daemon: the watch puts them back, and the sandbox works again.
    const SystemClock clock;
    IsolationWatch watch(plan, control, links, clock);
    EXPECT_TRUE(watch.round()->repaired);
}

TEST_F(Isolation, AHostileNormalFlowIsFoundAndTheTapsAreDownWithinASecond) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    const SystemClock clock;
    IsolationWatch watch(plan, control, links, clock);
    ASSERT_TRUE(watch.round()->findings.empty());
    const Flow hostile{.key = {.priority = 65000}, .actions = {{.text = "NORMAL"}}};
    ASSERT_TRUE(is_ok(control.apply(plan.bridge, {.add = {hostile}})));
    const Instant begun = BootClock::now();
    ASSERT_TRUE(is_ok(watch.round()));
    EXPECT_LT(BootClock::now() - begun, std::chrono::milliseconds(600));
    EXPECT_NE(watch.reason().find("NORMAL"), std::string::npos) << watch.reason();
    const auto state = links.observe();
    for (const std::string& name : inside())
        EXPECT_FALSE(state->link("", name)->settings.up) << name;
}

}  // namespace
}  // namespace penumbra::netisolate
