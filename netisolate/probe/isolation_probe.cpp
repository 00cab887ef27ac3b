#include "netisolate/probe/isolation_probe.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/random.h>

#include "base/clock.hpp"
#include "base/limits/network.hpp"
#include "netisolate/netlink/namespace_scope.hpp"
#include "netisolate/probe/frame_ends.hpp"
#include "netisolate/probe/hostile_frames.hpp"
#include "netisolate/sandbox_network.hpp"

namespace penumbra::netisolate {

namespace {

using packet::Buffer;
using packet::IpAddress;
using packet::MacAddress;

/// Where a bridge of no isolation stands for a moment: what comes in by one tap goes out by the other.
struct Control {
    std::string owner;
    std::string bridge;
    std::string in;
    std::string out;
};

Control control_of(const IsolationPlan& sandbox) {
    const std::string owner = "probe:" + sandbox.owner;
    const std::string name = short_name(owner);
    return {.owner = owner, .bridge = "pnp-" + name, .in = "pni-" + name, .out = "pno-" + name};
}

/// The same sandbox under another name: same cards, same rules, taps that nobody holds.
Result<IsolationPlan> twin_of(const IsolationPlan& sandbox) {
    SandboxSpec spec{.shadow = ShadowId("probe:" + short_name(sandbox.owner)),
                     .arm = ArmId("twin"),
                     .datapath = sandbox.desired.bridges.front().settings.datapath};
    for (const GuestPort& guest : sandbox.guests)
        spec.cards.push_back({guest.mac});
    return plan_isolation(spec);
}

Result<HostileAim> aim_at(const IsolationPlan& sandbox) {
    // Documentation addresses (RFC 5737): isolation looks at none of them, and nobody answers if it fails.
    HostileAim aim{.own = sandbox.guests.front().mac,
                   .other = sandbox.guests.front().mac,
                   .own_address = IpAddress::v4(0xc000020a),
                   .other_address = IpAddress::v4(0xc000020b)};
    aim.other.octets[5] ^= 1U;
    if (::getrandom(aim.mark.data(), aim.mark.size(), 0) != static_cast<ssize_t>(aim.mark.size()))
        return fail(ErrorCode::kInternal, "the kernel gives no random bytes");
    return aim;
}

class Probe {
 public:
    Probe(const IsolationPlan& sandbox, const ProbeGround& ground, HostileAim aim, Listener listener)
        : sandbox_(sandbox), ground_(ground), aim_(aim), frames_(hostile_frames(aim)), listener_(std::move(listener)) {}

    /// Sends from the trap's end of the arm itself.
    Result<void> from_trap() {
        LinkEnd end = TRY(open_trap());
        return send_all(sandbox_, [&](const Buffer& frame) { return end.send(frame); });
    }
    /// Sends from the taps, the arm's own or those of its twin.
    Result<void> from_taps(const IsolationPlan& plan) {
        for (const GuestPort& guest : plan.guests) {
            TapEnd end = TRY(TapEnd::open(guest.tap));
            TRY(send_all(plan, [&](const Buffer& frame) { return end.send(frame); }));
        }
        return {};
    }
    /// Sends on the bridge without isolation; gives how many of the frames were heard there.
    Result<std::uint64_t> on_control(const Control& control) {
        outside_.clear();
        heard_.clear();
        only_link_ = control.out;
        TapEnd in = TRY(TapEnd::open(control.in));
        std::size_t expected = 0;
        const TapEnd out = TRY(TapEnd::open(control.out));  // a tap that nobody holds has no carrier
        for (std::size_t begin = 0; begin < frames_.size(); begin += limits::kProbeBatchFrames) {
            const std::size_t count = std::min(limits::kProbeBatchFrames, frames_.size() - begin);
            for (const Buffer& frame : std::span(frames_).subspan(begin, count)) {
                TRY(in.send(frame));
                expected += fits(frame) ? 1U : 0U;
            }
            TRY(wait_until([&] { return heard_.size() >= expected; }));
        }
        return heard_.size();
    }
    [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
    [[nodiscard]] std::size_t corpus() const noexcept { return frames_.size(); }
    [[nodiscard]] std::size_t seen() const noexcept { return heard_.size(); }
    [[nodiscard]] const std::set<std::string>& where() const noexcept { return outside_; }
    void ignore(const IsolationPlan& plan) {
        for (const Link& link : plan.desired.links)
            if (link.space.empty() && link.kind != LinkKind::kBridge) inside_.insert(link.name);
    }

 private:
    /// Whether a device of ordinary size takes it whole: Open vSwitch in userspace drops what it cannot read.
    [[nodiscard]] static bool fits(const Buffer& frame) { return frame.size() <= limits::kProbeOrdinaryFrameBytes; }
    Result<LinkEnd> open_trap() {
        const NamespaceScope inside = TRY(NamespaceScope::enter(ground_.spaces / sandbox_.space));
        return LinkEnd::open(sandbox_.trap);
    }
    /// In batches that fit the buffer of the socket Open vSwitch reads a device by, each looked at before the next.
    template <class Send>
    Result<void> send_all(const IsolationPlan& plan, const Send& send) {
        std::uint64_t countable = 0;
        const std::uint64_t before = TRY(admitted(plan));
        for (std::size_t begin = 0; begin < frames_.size(); begin += limits::kProbeBatchFrames) {
            const std::size_t count = std::min(limits::kProbeBatchFrames, frames_.size() - begin);
            for (const Buffer& frame : std::span(frames_).subspan(begin, count)) {
                const Result<void> gone = send(frame);
                if (gone.has_value()) ++sent_;
                if (gone.has_value() && fits(frame)) ++countable;
                // Longer than the link's own limit: it cannot leave by there at all.
                if (!gone.has_value() && gone.error().code != ErrorCode::kInvalidArgument) return gone;
            }
            TRY(ground_.control.settle());
            TRY(listen());
        }
        const Instant deadline = BootClock::now() + limits::kProbeSettleMax;
        while (TRY(admitted(plan)) < before + countable) {
            if (BootClock::now() > deadline) {
                return fail(ErrorCode::kDeadlineExceeded,
                            fmt::format("bridge {} has not looked at every frame that was sent into it: that none came "
                                        "out says nothing; is the host overloaded?",
                                        plan.bridge));
            }
            TRY(ground_.control.settle());
        }
        return listen();
    }
    /// Frames that the first table has counted.
    Result<std::uint64_t> admitted(const IsolationPlan& plan) {
        std::uint64_t packets = 0;
        for (const Flow& flow : TRY(ground_.control.flows(plan.bridge)))
            packets += flow.key.table == 0 ? flow.packets : 0;
        return packets;
    }
    Result<void> listen() {
        return listener_.take([&](const std::string& link, packet::ByteView frame) {
            if (inside_.contains(link) || (!only_link_.empty() && link != only_link_)) return;
            const auto index = hostile_index(aim_.mark, frame);
            if (!index.has_value()) return;
            heard_.insert(*index);
            outside_.insert(link);
        });
    }
    Result<void> wait_until(const std::function<bool()>& holds) {
        const Instant deadline = BootClock::now() + limits::kProbeBatchMax;
        for (;;) {
            TRY(listen());
            if (holds() || BootClock::now() > deadline) break;
            TRY(ground_.control.settle());
        }
        return {};
    }

    const IsolationPlan& sandbox_;
    const ProbeGround& ground_;
    HostileAim aim_;
    std::vector<Buffer> frames_;
    Listener listener_;
    std::set<std::string> inside_;   ///< links of the sandboxes themselves
    std::set<std::string> outside_;  ///< where frames were heard
    std::set<std::size_t> heard_;    ///< which
    std::string only_link_;          ///< not empty: the only one that counts
    std::uint64_t sent_ = 0;
};

Result<void> build_control(const Control& control, const IsolationPlan& sandbox, const ProbeGround& ground) {
    for (const std::string& name : {control.in, control.out}) {
        const Link tap{.name = name, .kind = LinkKind::kTap, .owner = control.owner};
        TRY(ground.links.add_link(tap, nullptr));
        TRY(ground.links.set("", name, {.up = true, .arp = false, .ipv6 = false}));
    }
    Bridge bridge{.name = control.bridge,
                  .owner = control.owner,
                  .settings = {.datapath = sandbox.desired.bridges.front().settings.datapath,
                               .fail_mode = FailMode::kSecure,
                               .in_band_disabled = true}};
    bridge.ports = {{.name = control.in, .owner = control.owner, .requested_number = 1},
                    {.name = control.out, .owner = control.owner, .requested_number = 2}};
    const SwitchChange add = AddBridge{bridge};
    TRY(ground.control.transact(std::span(&add, 1)));
    const Flow pass{.key = {.table = 0, .priority = 1, .match = "in_port=1"}, .actions = {output_to(2)}};
    return ground.control.apply(control.bridge, {.add = {pass}});
}

/// Runs `work` on what `build` makes, which is taken away afterwards, whatever comes.
template <class Build, class Work>
auto with(const std::string& owner, const ProbeGround& ground, const Build& build, const Work& work)
    -> decltype(work()) {
    // What a probe that died has left.
    TRY(tear_down(owner, ground.control, ground.links));
    const Result<void> built = build();
    auto outcome = built.has_value() ? work() : decltype(work())(tl::unexpected(built.error()));
    const Result<void> gone = tear_down(owner, ground.control, ground.links);
    if (!gone.has_value() && outcome.has_value()) return tl::unexpected(gone.error());
    follow_by(outcome, gone);
    return outcome;
}

}  // namespace

Result<model::IsolationReport> probe_isolation(const IsolationPlan& sandbox, const ProbeGround& ground) {
    Probe probe(sandbox, ground, TRY(aim_at(sandbox)), TRY(Listener::open()));
    probe.ignore(sandbox);
    model::IsolationReport report;
    for (const Link& link : TRY(ground.links.observe()).links)
        if (link.space.empty() && sandbox.desired.link("", link.name) == nullptr)
            report.listened_on.push_back(link.name);
    TRY(probe.from_trap());
    std::string_view taps = "its own taps";
    Result<void> from_taps = probe.from_taps(sandbox);
    if (!from_taps.has_value() && from_taps.error().code == ErrorCode::kConflict) {
        taps = "the taps of a twin, since a guest holds its own";
        const IsolationPlan twin = TRY(twin_of(sandbox));
        probe.ignore(twin);
        from_taps = with(
            twin.owner, ground, [&] { return build_sandbox(twin, ground.control, ground.links); },
            [&] { return probe.from_taps(twin); });
    }
    TRY(std::move(from_taps));
    report.corpus_frames = probe.corpus();
    report.seen_on_production = probe.seen();
    const std::string sent = fmt::format("{} frames were sent from its trap and {}", probe.sent(), taps);
    report.reason = report.seen_on_production == 0
                        ? fmt::format("{}: none was seen outside", sent)
                        : fmt::format("{}: some were seen on {}", sent, fmt::join(probe.where(), ", "));
    const Control control = control_of(sandbox);
    report.positive_control_seen = TRY(with(
        control.owner, ground, [&] { return build_control(control, sandbox, ground); },
        [&] { return probe.on_control(control); }));
    return report;
}

}  // namespace penumbra::netisolate
