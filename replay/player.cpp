#include "replay/player.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <variant>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "replay/framer/http1.hpp"

namespace penumbra::replay {

namespace {
constexpr auto kLateFrom = std::chrono::milliseconds(10);

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
    [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const packet::IpAddress& address, std::uint16_t port) {
    SocketAddress out;
    if (address.is_v4()) {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        four.sin_addr.s_addr = htonl(address.v4_host_order());
        out.length = sizeof four;
        std::memcpy(&out.storage, &four, sizeof four);
    } else {
        sockaddr_in6 six{};
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        std::memcpy(&six.sin6_addr, address.octets().data(), sizeof six.sin6_addr);
        out.length = sizeof six;
        std::memcpy(&out.storage, &six, sizeof six);
    }
    return out;
}

void enable(int fd, int level, int option) {
    const int one = 1;
    // Best effort: without it the kernel's default holds, which is slower or shifts a port and is counted there.
    static_cast<void>(::setsockopt(fd, level, option, &one, sizeof one));
}

std::string_view method_of(const Exchange& exchange) {
    const std::string_view text(reinterpret_cast<const char*>(exchange.request.data()), exchange.request.size());
    return text.substr(0, text.find(' '));
}
}  // namespace

/// One of our connections. Its front request is outstanding when `asked`.
struct Player::Line {
    Name name;
    std::deque<Pending> queue;
    bool ended = false;  // production closed: so do we, when the queue is empty
    bool connected = false;
    bool asked = false;
    std::size_t sent_bytes = 0;  // of the front request
    framer::Http1Framer response{framer::Http1Framer::Role::kResponse};
    bool until_close = false;
    UniqueFd socket;
    EventLoop::Source io;
    EventLoop::Source timer;
};

Player::Player(EventLoop& loop, const Clock& clock, Schedule schedule, Options options)
    : loop_(loop), clock_(clock), schedule_(schedule), options_(options) {}
Player::~Player() = default;

void Player::take(StreamRecord record) {
    if (const auto* exchange = std::get_if<Exchange>(&record)) return add(*exchange);
    if (const auto* ended = std::get_if<ConnectionEnd>(&record)) return end(*ended);
    const Tally& tally = std::get<Tally>(record);
    ledger_.captured += tally.capture_drop + tally.spool_full;
    ledger_.lost_capture_drop += tally.capture_drop;
    ledger_.lost_spool_full += tally.spool_full;
}

void Player::add(const Exchange& exchange) {
    const auto shared = std::make_shared<const Exchange>(exchange);
    for (const PlannedSend& send : schedule_.plan(exchange)) {
        ++ledger_.captured;
        const Name name{exchange.connection, send.copy};
        const auto found = lines_.find(name);
        const bool room = (found != lines_.end() || lines_.size() < options_.connections_max) &&
                          queued_bytes_ + exchange.request.size() <= options_.queued_bytes_max;
        if (!room) {
            ++ledger_.lost_not_sent;
            continue;
        }
        std::unique_ptr<Line>& line = lines_[name];
        if (!line) {
            line = std::make_unique<Line>();
            line->name = name;
        }
        line->queue.push_back({send.at, shared});
        ++waiting_;
        queued_bytes_ += exchange.request.size();
        if (line->queue.size() == 1) advance(name);
    }
}

void Player::end(const ConnectionEnd& ended) {
    // Copies stand side by side in the map.
    for (auto at = lines_.lower_bound({ended.connection, 0});
         at != lines_.end() && at->first.first == ended.connection;) {
        Line& line = *at->second;
        line.ended = true;
        at = line.queue.empty() ? lines_.erase(at) : std::next(at);
    }
}

/// Goes on with a line that has nothing outstanding: sends, waits for the time to send, or is done.
void Player::advance(const Name& name) {
    const auto found = lines_.find(name);
    if (found == lines_.end() || found->second->asked) return;
    Line& line = *found->second;
    if (line.queue.empty()) {
        if (line.ended) lines_.erase(found);
        return;
    }
    const Instant now = clock_.now();
    const Instant due = line.queue.front().at;
    if (due > now) return arm(line, due);
    if (now - due > kLateFrom) ++counters_.late;
    line.asked = true;
    line.sent_bytes = 0;
    line.until_close = false;
    line.response = framer::Http1Framer(framer::Http1Framer::Role::kResponse);
    line.response.answer_to(method_of(*line.queue.front().exchange));
    if (!line.socket.valid()) return open(line);
    arm(line, now + options_.answer_max);
    send_rest(line);
}

bool Player::bind_to_client(Line& line) {
    const packet::Endpoint& client = line.queue.front().exchange->client;
    const std::uint16_t wanted = line.name.second == 0 ? client.port : std::uint16_t{0};
    for (const std::uint16_t port : {wanted, std::uint16_t{0}}) {
        const SocketAddress address = socket_address(client.address, port);
        if (::bind(line.socket.get(), address.raw(), address.length) == 0) {
            if (port != wanted) ++counters_.ports_shifted;
            return true;
        }
    }
    return false;
}

void Player::open(Line& line) {
    const packet::Endpoint server = line.queue.front().exchange->server;
    ++counters_.connects;
    line.connected = false;
    const int family = server.address.is_v4() ? AF_INET : AF_INET6;
    line.socket.reset(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!line.socket.valid()) return finish_front(line, &model::ReplayLedger::lost_connect);
    enable(line.socket.get(), SOL_SOCKET, SO_REUSEADDR);
    enable(line.socket.get(), IPPROTO_TCP, TCP_NODELAY);
    const SocketAddress address = socket_address(server.address, server.port);
    if (!bind_to_client(line)) return finish_front(line, &model::ReplayLedger::lost_connect);
    if (::connect(line.socket.get(), address.raw(), address.length) != 0 && errno != EINPROGRESS) {
        return finish_front(line, &model::ReplayLedger::lost_connect);
    }
    const Name name = line.name;
    auto io = loop_.watch_fd(line.socket.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                             [this, name](std::uint32_t events) { ready(name, events); });
    if (!io.has_value()) return finish_front(line, &model::ReplayLedger::lost_connect);
    line.io = std::move(*io);
    arm(line, clock_.now() + options_.connect_max);
}

void Player::arm(Line& line, Instant when) {
    auto timer = loop_.at(when, [this, name = line.name] { overdue(name); });
    // Only a kernel without memory refuses a timer; a line that waits for ever would break the ledger unseen.
    ASSERT(timer.has_value());
    line.timer = std::move(*timer);
}

void Player::overdue(const Name& name) {
    const auto found = lines_.find(name);
    if (found == lines_.end()) return;
    Line& line = *found->second;
    if (!line.asked) return advance(name);
    finish_front(line, line.connected ? &model::ReplayLedger::lost_timeout : &model::ReplayLedger::lost_connect);
}

void Player::ready(const Name& name, std::uint32_t events) {
    const auto found = lines_.find(name);
    if (found == lines_.end()) return;
    Line& line = *found->second;
    if (!line.connected) {
        int error = 0;
        socklen_t length = sizeof error;
        static_cast<void>(::getsockopt(line.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length));
        if (error != 0) return finish_front(line, &model::ReplayLedger::lost_connect);
        if ((events & EPOLLOUT) == 0) return;
        line.connected = true;
        arm(line, clock_.now() + options_.answer_max);
    }
    // A line that is gone after sending was answered or lost there.
    if (line.asked) send_rest(line);
    if (lines_.contains(name)) receive(*lines_.find(name)->second);
}

void Player::send_rest(Line& line) {
    const packet::Buffer& request = line.queue.front().exchange->request;
    while (line.sent_bytes < request.size()) {
        const ssize_t sent =
            ::send(line.socket.get(), request.data() + line.sent_bytes, request.size() - line.sent_bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return;
        // The server may have answered and closed: what it said is still to be read.
        if (sent < 0) return;
        line.sent_bytes += static_cast<std::size_t>(sent);
    }
}

void Player::receive(Line& line) {
    std::array<std::byte, 16 * 1024> buffer;  // filled by recv
    // Until the kernel has no more: the events are edges, and a FIN may stand right behind an answer.
    while (line.socket.valid()) {
        const ssize_t got = ::recv(line.socket.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (!line.asked) return hang_up(line);  // closed while idle, or words that answer nothing
        if (got <= 0) {
            const bool whole = got == 0 && line.until_close;
            hang_up(line);
            return finish_front(line, whole ? &model::ReplayLedger::replayed : &model::ReplayLedger::lost_reset);
        }
        take_answer(line, packet::ByteView(buffer.data(), static_cast<std::size_t>(got)));
    }
}

void Player::take_answer(Line& line, packet::ByteView bytes) {
    using Status = framer::Http1Framer::Status;
    while (!bytes.empty()) {
        const auto [consumed, status] = line.response.feed(bytes);
        bytes = bytes.subspan(consumed);
        const framer::Http1Head& head = line.response.head();
        line.until_close =
            status == Status::kUntilClose || (status == Status::kHeadDone && !head.chunked && !head.has_length);
        if (status == Status::kMalformed) return finish_front(line, &model::ReplayLedger::lost_reset);
        if (status != Status::kComplete || head.status < 200) continue;
        // The arm answered before it took the whole request, or will close: a new connection for the next one.
        const bool over = line.sent_bytes < line.queue.front().exchange->request.size() || head.close ||
                          head.minor_version == 0 || !bytes.empty();
        if (over) hang_up(line);
        return finish_front(line, &model::ReplayLedger::replayed);
    }
}

void Player::hang_up(Line& line) {
    line.io = {};
    line.socket.reset();
    line.connected = false;
}

/// The front exchange is over, and `counter` says how. What came of it the line cannot go on with is hung up.
void Player::finish_front(Line& line, std::uint64_t model::ReplayLedger::* counter) {
    ++(ledger_.*counter);
    if (counter != &model::ReplayLedger::replayed) hang_up(line);
    queued_bytes_ -= line.queue.front().exchange->request.size();
    line.queue.pop_front();
    --waiting_;
    line.asked = false;
    // In a later turn: a run of refused connections must not become a run of nested calls.
    arm(line, clock_.now());
}

void Player::stop() {
    ledger_.lost_not_sent += waiting_;
    waiting_ = 0;
    queued_bytes_ = 0;
    lines_.clear();
}

}  // namespace penumbra::replay
