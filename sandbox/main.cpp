// penumbra-sandbox: one arm's replay, in the arm's own network namespace. Set-up with capabilities, then none: see
// docs/modules/traffic.md.

#include <csignal>
#include <cstdio>
#include <span>

#include <fmt/format.h>

#include "base/event_loop.hpp"
#include "base/limits/traffic.hpp"
#include "netisolate/netlink/any_address.hpp"
#include "replay/endpoint_argument.hpp"
#include "replay/service.hpp"
#include "sandbox/confine.hpp"
#include "sandbox/sandbox.hpp"

namespace penumbra::sandbox {
namespace {

constexpr std::array<std::string_view, 11> kOptions = {"group",   "shadow", "arm", "interface", "netns",   "server",
                                                       "capture", "report", "key", "delay-ms",  "multiple"};
constexpr double kDelayMillisecondsMax = 3600e3;

Result<void> run(std::span<char* const> words) {
    const auto arguments = TRY(replay::service::Arguments::parse(words, kOptions));
    Sandbox::Options options{.vantage = {.group = TRY(GroupId::parse(TRY(arguments.one("group")))),
                                         .shadow = TRY(ShadowId::parse(TRY(arguments.one("shadow")))),
                                         .arm = TRY(ArmId::parse(TRY(arguments.one("arm"))))},
                             .servers = TRY(replay::read_endpoints(arguments.all("server"))),
                             .capture_socket = TRY(arguments.one("capture"))};
    const double delay_ms = TRY(arguments.number_or("delay-ms", 2000, kDelayMillisecondsMax));
    const replay::Schedule schedule({.delay = std::chrono::milliseconds(static_cast<std::int64_t>(delay_ms)),
                                     .multiple = TRY(arguments.number_or("multiple", 1, limits::kRateMultipleMax))},
                                    replay::Sampler(TRY(replay::Sampler::parse_key(TRY(arguments.one("key")))),
                                                    replay::Sampler::Purpose::kMultiple));
    const std::string interface = TRY(arguments.one("interface"));
    const auto loop = TRY(EventLoop::create());
    const SystemClock clock;
    if (const std::string space = arguments.one_or("netns", ""); !space.empty()) {
        TRY(replay::service::enter_network_namespace(space));
    }
    std::vector<packet::IpAddress> guests;
    for (const packet::Endpoint& server : options.servers)
        guests.push_back(server.address);
    TRY(netisolate::take_every_address(interface, guests));
    Sandbox sandbox(*loop, clock, std::move(options), schedule, TRY(replay::FrameRing::open(interface)));
    const auto outbox = TRY(replay::ReportOutbox::listen(*loop, TRY(arguments.one("report")),
                                                         [&sandbox](double rate) { sandbox.set_multiple(rate); }));
    TRY(sandbox.start(*outbox));
    const auto counters = TRY(loop->every(std::chrono::minutes(1), [&] { sandbox.log_counters(); }));
    const auto terminated = TRY(loop->on_signal(SIGTERM, [&] { sandbox.stop(); }));
    const auto interrupted = TRY(loop->on_signal(SIGINT, [&] { sandbox.stop(); }));
    TRY(loop->feed_watchdog());
    TRY(replay::service::announce_ready());
    TRY(replay::service::drop_capabilities());
    TRY(confine());
    TRY(loop->run());
    sandbox.log_counters();
    return {};
}

}  // namespace
}  // namespace penumbra::sandbox

int main(int argc, char** argv) {
    const std::span<char* const> words(argv, static_cast<std::size_t>(argc));
    const auto done = penumbra::sandbox::run(words.subspan(1));
    if (done.has_value()) return 0;
    std::fprintf(stderr, "penumbra-sandbox: %s\n", done.error().describe().c_str());
    return 1;
}
