#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "netisolate/netlink/netlink_links.hpp"
#include "netisolate/ovs/ovs_switch.hpp"
#include "netisolate/sandbox_network.hpp"
#include "packet/ethernet.hpp"
#include "packet/ip.hpp"
#include "packet/transport.hpp"
#include "tests/contract/netisolate/private_switch.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/unit/netisolate/sandboxes.hpp"

namespace penumbra::netisolate {
namespace {

using packet::Buffer;
using packet::IpAddress;
using packet::MacAddress;
using testing::is_ok;

constexpr std::uint16_t kMarkPort = 47474;
const Buffer kPayload(64, std::byte{0x5a});  // found in every frame of the corpus, and in nothing else here

/// 540 frames: three sources (own, spoofed, multicast), twelve destinations, fifteen kinds.
std::vector<Buffer> corpus(const MacAddress& own) {
    const IpAddress production = IpAddress::v4(0xc0000207);
    const IpAddress guest = IpAddress::v4(0xc0000208);
    const packet::AddressPair pair{guest, production};
    const Buffer udp = packet::build_udp({kMarkPort, 53}, pair, kPayload);
    const Buffer tcp =
        packet::build_tcp({.source_port = kMarkPort, .destination_port = 80, .flags = 2}, pair, kPayload);
    const auto v4 = [&](std::uint8_t protocol, const Buffer& inner, std::uint16_t offset = 0) {
        return packet::build_ipv4(
            {.source = guest, .destination = production, .protocol = protocol, .fragment_offset = offset}, inner);
    };
    std::array<std::uint8_t, 16> all_nodes{0xff, 2};
    all_nodes[15] = 1;
    const auto v6 = [&](std::uint8_t protocol) {
        return packet::build_ipv6(
            {.source = IpAddress::v6({0xfe, 0x80}), .destination = IpAddress::v6(all_nodes), .protocol = protocol},
            kPayload);
    };
    Buffer arp = packet::build_arp({.sender_mac = own, .sender_ip = production, .target_ip = production});
    packet::append(arp, kPayload);
    struct Kind {
        std::uint16_t type;
        std::size_t vlans;
        Buffer payload;
    };
    const std::vector<Kind> kinds = {{0x0800, 0, v4(17, udp)},      {0x0800, 0, v4(6, tcp)},
                                     {0x0800, 0, v4(1, kPayload)},  {0x0800, 0, v4(2, kPayload)},
                                     {0x0800, 0, v4(0, kPayload)},  {0x0800, 0, v4(112, kPayload)},
                                     {0x0800, 0, v4(17, udp, 100)}, {0x0806, 0, arp},
                                     {0x86dd, 0, v6(58)},           {0x88cc, 0, kPayload},
                                     {0x8809, 0, kPayload},         {0x8808, 0, kPayload},
                                     {0x0800, 1, v4(17, udp)},      {0x0800, 2, v4(17, udp)},
                                     {0x0060, 0, kPayload}};
    const std::vector<MacAddress> destinations = {
        MacAddress::broadcast(),     {{1, 0x80, 0xc2, 0, 0, 0}},  {{1, 0x80, 0xc2, 0, 0, 1}},
        {{1, 0x80, 0xc2, 0, 0, 2}},  {{1, 0x80, 0xc2, 0, 0, 14}}, {{1, 0, 0x5e, 0, 0, 1}},
        {{1, 0, 0x5e, 0, 0, 18}},    {{0x33, 0x33, 0, 0, 0, 1}},  {{0x52, 0x54, 0, 9, 9, 9}},
        {{0x52, 0x54, 0, 9, 9, 10}}, {{2, 0, 0, 0, 0, 1}},        {{0, 0, 0, 0, 0, 0}}};
    const std::vector<MacAddress> sources = {own, {{0x52, 0x54, 0, 9, 9, 9}}, {{1, 0, 0, 0, 0, 5}}};
    std::vector<Buffer> frames;
    for (const MacAddress& source : sources) {
        for (const MacAddress& destination : destinations) {
            for (const Kind& kind : kinds) {
                packet::EthernetHeader header{.destination = destination, .source = source, .type = kind.type};
                header.vlan_count = kind.vlans;
                for (std::size_t i = 0; i < kind.vlans; ++i)
                    header.vlans[i] = {.id = 7};
                frames.push_back(packet::build_ethernet(header, kind.payload));
            }
        }
    }
    return frames;
}

/// Counts frames of the corpus that leave or enter by links of this namespace.
class Sniffer {
 public:
    Sniffer() : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(0x0003))) {
        const int bytes = 64 << 20;
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    }
    /// Seen since the last call on links other than `ignored`.
    std::size_t seen_beside(const std::vector<std::string>& ignored) {
        std::size_t seen = 0;
        std::vector<std::byte> frame(65536);
        sockaddr_ll from{};
        socklen_t length = sizeof from;
        for (;;) {
            length = sizeof from;
            const auto size =
                ::recvfrom(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
            if (size < 0) return seen;
            std::array<char, IF_NAMESIZE> name{};
            ::if_indextoname(static_cast<unsigned>(from.sll_ifindex), name.data());
            const auto end = frame.begin() + size;
            const bool marked = std::search(frame.begin(), end, kPayload.begin(), kPayload.end()) != end;
            if (marked && std::ranges::find(ignored, name.data()) == ignored.end()) ++seen;
        }
    }

 private:
    UniqueFd socket_;
};

/// The guest's side of a tap: what QEMU holds.
class TapEnd {
 public:
    explicit TapEnd(const std::string& name) : fd_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)) {
        ifreq request{};
        request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
        name.copy(request.ifr_name, IFNAMSIZ - 1);
        open_ = ::ioctl(fd_.get(), TUNSETIFF, &request) == 0;
    }
    [[nodiscard]] bool open() const { return open_; }
    std::size_t send(std::span<const Buffer> frames) {
        std::size_t sent = 0;
        for (const Buffer& frame : frames) {
            Buffer with_header(10, std::byte{0});
            packet::append(with_header, frame);
            sent += ::write(fd_.get(), with_header.data(), with_header.size()) > 0 ? 1U : 0U;
        }
        return sent;
    }

 private:
    UniqueFd fd_;
    bool open_ = false;
};

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
    /// In batches that fit the buffer of the socket Open vSwitch reads a tap by.
    std::size_t send_all(TapEnd& guest) {
        std::size_t sent = 0;
        while (sent < frames.size()) {
            const std::size_t batch = std::min<std::size_t>(60, frames.size() - sent);
            if (guest.send(std::span(frames).subspan(sent, batch)) != batch || !control.settle().has_value()) break;
            sent += batch;
        }
        return sent;
    }
    /// Frames that the first table has counted.
    [[nodiscard]] std::uint64_t admitted() {
        std::uint64_t packets = 0;
        const auto flows = control.flows(plan.bridge);
        for (const Flow& flow : flows.value_or(std::vector<Flow>{}))
            packets += flow.key.table == 0 ? flow.packets : 0;
        return packets;
    }
    [[nodiscard]] std::vector<std::string> inside() const {
        std::vector<std::string> names{plan.veth};
        for (const GuestPort& guest : plan.guests)
            names.push_back(guest.tap);
        return names;
    }

    static testing_values::PrivateSwitch* running;
    OvsSwitch control{running->run_dir()};
    NetlinkLinks links{running->run_dir() / "netns"};
    const IsolationPlan plan = testing_values::two_card_plan();
    const std::vector<Buffer> frames = corpus(plan.guests.front().mac);
};
testing_values::PrivateSwitch* Isolation::running = nullptr;

TEST_F(Isolation, BuildingTwiceChangesNothingAndTheAuditIsClean) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
}

TEST_F(Isolation, NoFrameOfTheCorpusLeavesTheSandbox) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    TapEnd guest(plan.guests.front().tap);
    ASSERT_TRUE(guest.open());
    Sniffer sniffer;
    ASSERT_GE(frames.size(), 500u);
    EXPECT_EQ(send_all(guest), frames.size());
    // the switch has looked at every one of them before anybody says that none came out
    const Instant deadline = BootClock::now() + std::chrono::seconds(10);
    while (admitted() < frames.size() && BootClock::now() < deadline)
        ASSERT_TRUE(is_ok(control.settle()));
    EXPECT_GE(admitted(), frames.size());
    EXPECT_EQ(sniffer.seen_beside(inside()), 0u);
    EXPECT_TRUE(audit_sandbox(plan, *observe(control, links, plan.owner), *control.datapath_flows()).empty());
}

TEST_F(Isolation, TheSameCorpusIsSeenWhenTheTapIsOnTheProductionBridge) {
    ASSERT_TRUE(is_ok(build_sandbox(plan, control, links)));
    const std::string tap = plan.guests.front().tap;
    const SwitchPort port{.name = tap, .owner = plan.owner};
    ASSERT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{RemovePort{plan.bridge, port}})));
    ASSERT_TRUE(is_ok(control.transact(std::vector<SwitchChange>{AddPort{"br-prod", port}})));
    TapEnd guest(tap);
    Sniffer sniffer;
    EXPECT_EQ(send_all(guest), frames.size());
    std::size_t seen = 0;
    const Instant deadline = BootClock::now() + std::chrono::seconds(5);
    while (seen < frames.size() && BootClock::now() < deadline)
        seen += sniffer.seen_beside(inside());
    RecordProperty("positive_control_seen", static_cast<int>(seen));
    EXPECT_GE(seen, frames.size());
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
