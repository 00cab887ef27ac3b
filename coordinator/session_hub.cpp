#include "coordinator/session_hub.hpp"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/log.hpp"
#include "proto/codec/codec.hpp"

namespace penumbra::coordinator {

SessionHub::SessionHub(zmq::ServerLink& link, Admit admit, Heard heard)
    : link_(link), admit_(std::move(admit)), heard_(std::move(heard)) {
    link_.on_message([this](const keys::PublicKey& peer, std::string_view bytes) { hear(peer, bytes); });
}

Result<void> SessionHub::enrol_all(const std::vector<EnrolledKey>& keys) {
    hosts_.clear();
    keys_.clear();
    for (const EnrolledKey& enrolled : keys) {
        Result<keys::PublicKey> key = keys::PublicKey::parse(enrolled.public_key);
        if (!key.has_value()) {
            return fail(
                ErrorCode::kDataLoss,
                fmt::format("the stored key of host {} is none: make the host a new token", enrolled.host.text()));
        }
        hosts_[*key] = enrolled.host;
        keys_[enrolled.host] = std::move(*key);
    }
    admit_all();
    return {};
}

void SessionHub::enrol(const HostId& host, const keys::PublicKey& key) {
    if (const auto earlier = keys_.find(host); earlier != keys_.end()) hosts_.erase(earlier->second);
    hosts_[key] = host;
    keys_[host] = key;
    admit_all();
}

void SessionHub::forget(const HostId& host) {
    const auto found = keys_.find(host);
    if (found == keys_.end()) return;
    hosts_.erase(found->second);
    keys_.erase(found);
    admit_all();
}

void SessionHub::admit_all() const {
    std::set<keys::PublicKey> admitted;
    for (const auto& [key, host] : hosts_)
        admitted.insert(key);
    admit_(std::move(admitted));
}

void SessionHub::send(const HostId& host, const model::Envelope& envelope) {
    const auto key = keys_.find(host);
    if (key == keys_.end()) return;
    const Result<std::string> bytes = codec::encode(envelope);
    if (!bytes.has_value()) {
        // our own defect; without the log nobody would learn why a command never arrives
        return log::error("link.not_sent", bytes.error(), {{"HOST", host.text()}});
    }
    // Gone or not reading: contact finds that out by its silence, and what matters is sent again.
    static_cast<void>(link_.send(key->second, *bytes).has_value());
}

void SessionHub::hear(const keys::PublicKey& peer, std::string_view bytes) {
    const auto host = hosts_.find(peer);
    if (host == hosts_.end()) return;  // its key was replaced while this was on its way
    Result<model::Envelope> envelope = codec::decode(bytes);
    if (!envelope.has_value()) {
        heard_(Garbled{host->second, envelope.error().describe()});
        return;
    }
    if (held_ && !std::holds_alternative<model::Heartbeat>(envelope->body)) return;
    heard_(Received{host->second, std::move(*envelope)});
}

}  // namespace penumbra::coordinator
