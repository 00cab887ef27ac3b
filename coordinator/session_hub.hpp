#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "coordinator/core/events.hpp"
#include "coordinator/store/store.hpp"
#include "proto/keys.hpp"
#include "proto/zmq/link.hpp"

namespace penumbra::coordinator {

/// Between the fleet link and the core: bytes and keys on one side, envelopes and hosts on the other. A host is who its
/// key is enrolled as, whatever a message says. Nothing is kept for a peer that is gone or does not read: the core
/// sends again. Thread-bound.
class SessionHub {
 public:
    /// Who decides which keys may connect: given the whole set each time it changes.
    using Admit = std::function<void(std::set<keys::PublicKey>)>;
    /// Received or Garbled.
    using Heard = std::function<void(Event)>;

    /// `link` outlives this.
    SessionHub(zmq::ServerLink& link, Admit admit, Heard heard);
    SessionHub(const SessionHub&) = delete;
    SessionHub& operator=(const SessionHub&) = delete;
    SessionHub(SessionHub&&) = delete;
    SessionHub& operator=(SessionHub&&) = delete;
    ~SessionHub() = default;

    /// The keys of the whole fleet, as stored. Error: kDataLoss for one that is none.
    [[nodiscard]] Result<void> enrol_all(const std::vector<EnrolledKey>& keys);
    /// The host's key from now on; its earlier one is heard no more.
    void enrol(const HostId& host, const keys::PublicKey& key);
    void forget(const HostId& host);

    void send(const HostId& host, const model::Envelope& envelope);
    /// While true, only heartbeats are heard: what they say needs no disk. Agents send the rest again.
    void hold(bool held) noexcept { held_ = held; }

 private:
    void admit_all() const;
    void hear(const keys::PublicKey& peer, std::string_view bytes);

    zmq::ServerLink& link_;
    const Admit admit_;
    const Heard heard_;
    std::map<keys::PublicKey, HostId> hosts_;
    std::map<HostId, keys::PublicKey> keys_;
    bool held_ = false;
};

}  // namespace penumbra::coordinator
