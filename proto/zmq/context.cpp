#include "proto/zmq/context.hpp"

#include <array>
#include <cerrno>
#include <vector>

#include <fmt/format.h>
#include <zmq.h>

#include "base/limits/base.hpp"
#include "base/log.hpp"

namespace penumbra::zmq {

int terminate_context(void* context) noexcept {
    return zmq_ctx_term(context);
}
int close_socket(void* socket) noexcept {
    return zmq_close(socket);
}

namespace {
constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
constexpr int kPollMs = 200;
constexpr std::size_t kFramesMax = 16;

std::vector<std::string> receive_frames(void* socket) {
    std::vector<std::string> frames;
    int more = 1;
    while (more != 0) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, 0) < 0) {
            zmq_msg_close(&frame);
            return {};
        }
        if (frames.size() < kFramesMax) {
            frames.emplace_back(static_cast<const char*>(zmq_msg_data(&frame)), zmq_msg_size(&frame));
        }
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    return frames;
}

void send_frames(void* socket, const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const int flags = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
        ASSERT(zmq_send(socket, frames[i].data(), frames[i].size(), flags) >= 0);
    }
}

// The key as ZAP carries it: 32 bytes.
std::string z85_of(const std::string& bytes) {
    std::array<char, 41> text{};
    ASSERT(zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) != nullptr);
    return text.data();
}
}  // namespace

Result<std::unique_ptr<Gate>> Gate::create() {
    auto gate = std::unique_ptr<Gate>(new Gate());
    gate->context_.reset(zmq_ctx_new());
    if (gate->context_ == nullptr || zmq_has("curve") == 0) {
        return fail(ErrorCode::kUnsupported, "this libzmq cannot do CURVE: install Debian's libzmq5");
    }
    gate->socket_.reset(zmq_socket(gate->context_.get(), ZMQ_REP));
    if (gate->socket_ == nullptr || zmq_bind(gate->socket_.get(), kEndpoint) != 0) {
        return fail(ErrorCode::kInternal,
                    fmt::format("the gate of the fleet link does not start: {}", zmq_strerror(errno)));
    }
    gate->thread_ = std::thread([self = gate.get()] { self->answer_requests(); });
    return gate;
}

Gate::~Gate() {
    stop();
}

void Gate::stop() noexcept {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    // Nobody listens at ZAP's address from here on: the case in which libzmq would admit everybody.
    socket_.reset();
}

void Gate::answer_requests() {
    while (!stopping_) {
        ++turns_;
        zmq_pollitem_t item{.socket = socket_.get(), .fd = 0, .events = ZMQ_POLLIN, .revents = 0};
        const int count = zmq_poll(&item, 1, kPollMs);
        // Without this thread nobody can connect, so it does not go quietly.
        ASSERT(count >= 0 || errno == EINTR);
        if (count > 0) answer_one();
    }
}

void Gate::answer_one() {
    // version, request id, domain, address, identity, mechanism, key
    const std::vector<std::string> request = receive_frames(socket_.get());
    if (request.size() < 2) return send_frames(socket_.get(), {"1.0", "", "500", "malformed", "", ""});
    const bool curve = request.size() == 7 && request[0] == "1.0" && request[5] == "CURVE" && request[6].size() == 32;
    const Result<keys::PublicKey> key = curve ? keys::PublicKey::parse(z85_of(request[6])) : keys::PublicKey();
    const bool admitted = curve && key.has_value() && admits(request[2], *key);
    if (!admitted) {
        ++denied_;
        log::event(log::Level::kWarning, "link.refused", "a peer was refused: its key is not admitted",
                   {{"DOMAIN", request.size() > 2 ? request[2].substr(0, limits::kIdBytesMax) : ""},
                    {"ADDRESS", request.size() > 3 ? request[3].substr(0, limits::kIdBytesMax) : ""},
                    {"KEY", curve && key.has_value() ? key->z85() : ""}});
    }
    send_frames(socket_.get(), {"1.0", request[1], admitted ? "200" : "400", admitted ? "OK" : "not admitted",
                                admitted ? key->z85() : "", ""});
}

void Gate::admit(std::string_view domain, std::set<keys::PublicKey> keys) {
    const std::lock_guard lock(mutex_);
    domains_[std::string(domain)] = {.any = false, .keys = std::move(keys)};
}

void Gate::admit_any(std::string_view domain) {
    const std::lock_guard lock(mutex_);
    domains_[std::string(domain)] = {.any = true, .keys = {}};
}

bool Gate::admits(std::string_view domain, const keys::PublicKey& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = domains_.find(domain);
    return found != domains_.end() && (found->second.any || found->second.keys.contains(key));
}

}  // namespace penumbra::zmq
