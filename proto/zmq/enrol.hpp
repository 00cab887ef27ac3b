#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.hpp"
#include "base/ids.hpp"
#include "proto/zmq/server.hpp"

namespace penumbra::zmq {

/// What a host is told once its key is admitted.
struct Enrolled {
    HostId host;                   ///< the name the token was made for
    std::uint16_t fleet_port = 0;  ///< of the fleet link, on the address the host enrolled at
    friend bool operator==(const Enrolled&, const Enrolled&) = default;
};

/// The coordinator's end of enrolment: a socket of its own that any key may connect to, where a token must do. A host's
/// key is the one CURVE proved it holds, never one it names. At most kEnrolAsksMax wait at a time, one a key; whoever
/// has been answered is forgotten, so that strangers fill nothing up. Thread-bound.
class EnrolServer {
 public:
    using Answer = std::function<void(const Result<Enrolled>& enrolled)>;
    /// `answer` may be called in a later turn, after the key is committed. Asked again with the same key and token,
    /// give the same answer: a host that did not hear the first one asks again. The first line of an error's message
    /// is what the host is told.
    using Asked = std::function<void(const keys::PublicKey& key, const std::string& token, Answer answer)>;

    /// Listens at once at `endpoint` ("tcp://*:7702"), and lets any key into the gate's domain "enrol".
    [[nodiscard]] static Result<std::unique_ptr<EnrolServer>> create(EventLoop& loop, Gate& gate,
                                                                     const keys::KeyPair& keys, std::string endpoint,
                                                                     Asked asked);
    EnrolServer(const EnrolServer&) = delete;
    EnrolServer& operator=(const EnrolServer&) = delete;
    EnrolServer(EnrolServer&&) = delete;
    EnrolServer& operator=(EnrolServer&&) = delete;
    ~EnrolServer();

    [[nodiscard]] std::string endpoint() const { return server_->endpoint(); }

 private:
    EnrolServer(std::unique_ptr<FleetServer> server, Asked asked);
    void hear(const keys::PublicKey& key, std::string_view bytes);
    void answer(const keys::PublicKey& key, const Result<Enrolled>& enrolled);

    const std::unique_ptr<FleetServer> server_;
    const Asked asked_;
    std::map<keys::PublicKey, std::string> waiting_;          // key -> token
    std::shared_ptr<bool> alive_ = std::make_shared<bool>();  // answers that outlive this find nobody
};

/// A host's end: asks at `server` (ADDRESS:PORT), whose coordinator must hold the secret half of `server_key`, to admit
/// `keys` by `token`. Blocks for at most `deadline`, in a loop of its own; asks again when nothing comes back.
/// kPermissionDenied: the coordinator says no, in its words; kUnavailable: no coordinator with this key answers there.
[[nodiscard]] Result<Enrolled> enrol(std::string_view server, keys::PublicKey server_key, keys::KeyPair keys,
                                     std::string_view token, std::chrono::milliseconds deadline);

}  // namespace penumbra::zmq
