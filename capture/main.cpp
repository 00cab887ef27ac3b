// penumbra-capture: receives a group's mirrored frames, and hands exchanges one way to each arm and KPI windows to the
// agent. Set-up with capabilities, then none: see docs/modules/traffic.md.

#include <csignal>
#include <cstdio>
#include <span>

#include <fmt/format.h>
#include <sys/epoll.h>

#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "capture/capture.hpp"
#include "capture/confine.hpp"
#include "replay/endpoint_argument.hpp"
#include "replay/service.hpp"

namespace penumbra::capture {
namespace {

constexpr std::array<std::string_view, 10> kOptions = {"group", "interface", "netns",  "server",       "share",
                                                       "key",   "arm",       "report", "spool-folder", "spool-bytes"};
constexpr double kSpoolBytesMax = 1e13;

Result<std::vector<std::unique_ptr<ArmFeed>>> open_arms(EventLoop& loop, const replay::service::Arguments& arguments) {
    const auto bytes = static_cast<std::uint64_t>(TRY(arguments.number_or("spool-bytes", 256e6, kSpoolBytesMax)));
    std::vector<std::unique_ptr<ArmFeed>> arms;
    for (const std::string& arm : arguments.all("arm")) {
        const std::size_t equals = arm.find('=');
        if (equals == std::string::npos) {
            return fail(ErrorCode::kInvalidArgument, fmt::format("--arm is '{}'; use NAME=SOCKET", arm));
        }
        replay::Spool spool = TRY(replay::Spool::open(arguments.one_or("spool-folder", "/var/tmp"), Bytes(bytes)));
        arms.push_back(TRY(ArmFeed::listen(loop, arm.substr(0, equals), arm.substr(equals + 1), std::move(spool))));
    }
    return arms;
}

Result<void> run(std::span<char* const> words) {
    const auto arguments = TRY(replay::service::Arguments::parse(words, kOptions));
    Capture::Options options{.group = TRY(GroupId::parse(TRY(arguments.one("group")))),
                             .servers = TRY(replay::read_endpoints(arguments.all("server"))),
                             .key = TRY(replay::Sampler::parse_key(TRY(arguments.one("key")))),
                             .share = TRY(arguments.number_or("share", 1, 1))};
    const auto loop = TRY(EventLoop::create());
    const SystemClock clock;
    auto arms = TRY(open_arms(*loop, arguments));
    if (const std::string space = arguments.one_or("netns", ""); !space.empty()) {
        TRY(replay::service::enter_network_namespace(space));
    }
    Capture capture(clock, std::move(options), TRY(replay::FrameRing::open(TRY(arguments.one("interface")))),
                    std::move(arms));
    const auto outbox = TRY(replay::ReportOutbox::listen(*loop, TRY(arguments.one("report")),
                                                         [&capture](double share) { capture.set_share(share); }));
    const auto frames = TRY(loop->watch_fd(capture.ring_fd(), EPOLLIN, [&](std::uint32_t) { capture.read_ring(); }));
    const auto tick = TRY(loop->every(std::chrono::milliseconds(100), [&] { capture.tick(*outbox); }));
    const auto counters = TRY(loop->every(std::chrono::minutes(1), [&] { capture.log_counters(); }));
    const auto terminated = TRY(loop->on_signal(SIGTERM, [&] { loop->stop(); }));
    const auto interrupted = TRY(loop->on_signal(SIGINT, [&] { loop->stop(); }));
    TRY(loop->feed_watchdog());
    TRY(replay::service::announce_ready());
    TRY(replay::service::drop_capabilities());
    TRY(confine(capture.ring_fd()));
    TRY(loop->run());
    capture.log_counters();
    return {};
}

}  // namespace
}  // namespace penumbra::capture

int main(int argc, char** argv) {
    const std::span<char* const> words(argv, static_cast<std::size_t>(argc));
    const auto done = penumbra::capture::run(words.subspan(1));
    if (done.has_value()) return 0;
    std::fprintf(stderr, "penumbra-capture: %s\n", done.error().describe().c_str());
    return 1;
}
