#include "sandbox/sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/limits/traffic.hpp"
#include "base/log.hpp"
#include "packet/segment.hpp"

namespace penumbra::sandbox {

namespace {
constexpr auto kTick = std::chrono::milliseconds(100);
constexpr auto kFarewellMax = std::chrono::seconds(5);

std::vector<packet::IpAddress> addresses_of(const std::vector<packet::Endpoint>& endpoints) {
    std::vector<packet::IpAddress> addresses;
    for (const packet::Endpoint& endpoint : endpoints)
        addresses.push_back(endpoint.address);
    return addresses;
}
}  // namespace

Sandbox::Sandbox(EventLoop& loop, const Clock& clock, Options options, replay::Schedule schedule,
                 replay::FrameRing ring)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      ring_(std::move(ring)),
      reassembly_({.servers = options_.servers}, *this),
      egress_(addresses_of(options_.servers)),
      kpi_(options_.vantage, clock.wall()),
      player_(loop, clock, schedule, {}) {}

Result<void> Sandbox::start(replay::ReportOutbox& outbox) {
    outbox_ = &outbox;
    ring_io_ = TRY(loop_.watch_fd(ring_.fd(), EPOLLIN, [this](std::uint32_t) { read_ring(); }));
    tick_ = TRY(loop_.every(kTick, [this] { tick(); }));
    return {};
}

std::chrono::nanoseconds Sandbox::wall_ahead() const {
    return clock_.wall().time_since_epoch() - clock_.now().time_since_epoch();
}

/// The capture may start after us: looked for at every tick until it is there. Once it has gone, we go too.
void Sandbox::connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, options_.capture_socket.c_str(),
                std::min(options_.capture_socket.size(), sizeof address.sun_path - 1));
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    auto io = loop_.watch_fd(socket.get(), EPOLLIN, [this](std::uint32_t) { read_stream(); });
    if (!io.has_value()) return log::error("sandbox.connect", io.error());
    capture_ = std::move(socket);
    capture_io_ = std::move(*io);
}

void Sandbox::read_stream() {
    std::array<std::byte, 64 * 1024> buffer;  // filled by recv
    const ssize_t got = ::recv(capture_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    bool good = got > 0;
    if (good) decoder_.feed({buffer.data(), static_cast<std::size_t>(got)});
    while (good) {
        auto record = decoder_.next();
        good = record.has_value();
        if (!good) log::error("sandbox.stream", record.error());
        if (!good || !record->has_value()) break;
        player_.take(std::move(**record));
    }
    if (good) return;
    log::event(log::Level::kNotice, "sandbox.capture_ended", "the capture has ended: playing what is left");
    capture_io_ = {};
    capture_.reset();
    ended_ = true;
}

void Sandbox::read_ring() {
    ring_.read(wall_ahead(), [this](packet::ByteView frame, Instant when) {
        const packet::Classified classified = packet::classify(frame);
        if (classified.kind == packet::FrameKind::kTcp) reassembly_.segment(classified.segment, when);
        egress_.frame(frame);
    });
}

void Sandbox::stop() {
    player_.stop();
    capture_io_ = {};
    capture_.reset();
    ended_ = true;
}

void Sandbox::tick() {
    if (!ended_ && !capture_.valid()) connect();
    reassembly_.expire(clock_.now(), limits::kConnectionIdleMax);
    const model::ReplayLedger news = player_.take_ledger();
    ledger_ = replay::sum_of(ledger_, news);
    total_ = replay::sum_of(total_, news);
    const bool all_played = ended_ && player_.waiting() == 0;
    for (const model::KpiWindow& window : kpi_.close(clock_.wall(), ledger_)) {
        outbox_->push(window);
        // Opened after the last exchange was over: it holds all that was still to be told.
        if (all_played && give_up_at_ != Instant{}) last_window_ = true;
    }
    if (all_played) finish();
}

/// Everything is played: the last window has to be told and, if the agent is there, acknowledged.
void Sandbox::finish() {
    if (give_up_at_ == Instant{}) give_up_at_ = clock_.now() + kFarewellMax;
    if ((last_window_ && outbox_->empty()) || clock_.now() >= give_up_at_) loop_.stop();
}

void Sandbox::exchange(replay::Exchange exchange) {
    kpi_.add(exchange, wall_ahead());
}

void Sandbox::lost(const packet::Endpoint&, replay::CaptureLoss) {
    ++lost_answers_;
}

void Sandbox::connection_ended(std::uint64_t, Instant) {}

void Sandbox::log_counters() {
    const replay::Player::Counters& played = player_.counters();
    log::event(log::Level::kInfo, "sandbox.counters", "what this arm's replay has done so far",
               {{"ARM", options_.vantage.arm.text()},
                {"CAPTURED", std::to_string(total_.captured)},
                {"REPLAYED", std::to_string(total_.replayed)},
                {"LOST", std::to_string(replay::losses_of(total_))},
                {"WAITING", std::to_string(player_.waiting())},
                {"CONNECTS", std::to_string(played.connects)},
                {"PORTS_SHIFTED", std::to_string(played.ports_shifted)},
                {"LATE", std::to_string(played.late)},
                {"ANSWERS_UNSEEN", std::to_string(lost_answers_)},
                {"EGRESS_ATTEMPTS", std::to_string(egress_.attempts())}});
    for (const replay::EgressTrap::Attempts& attempts : egress_.targets()) {
        log::event(log::Level::kNotice, "sandbox.egress", "the arm tried to reach somebody outside and was refused",
                   {{"ARM", options_.vantage.arm.text()},
                    {"TARGET", attempts.target.endpoint.text()},
                    {"PROTOCOL", std::to_string(attempts.target.protocol)},
                    {"COUNT", std::to_string(attempts.count)}});
    }
}

}  // namespace penumbra::sandbox
