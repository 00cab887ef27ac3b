#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/event_loop.hpp"
#include "base/limits/sockets.hpp"
#include "proto/zmq/link.hpp"

namespace penumbra::zmq::fake {

/// A network in memory with one server, in one loop: messages arrive in later turns, a queue holds kLinkQueueMax, keys
/// that are not admitted are not heard. `partition(true)` loses everything on its way. Thread-bound.
class Network {
 public:
    explicit Network(EventLoop& loop) : loop_(loop) {}

    void admit(std::set<keys::PublicKey> keys) { admitted_ = std::move(keys); }
    void partition(bool cut) { cut_ = cut; }
    [[nodiscard]] std::unique_ptr<ServerLink> server() { return std::make_unique<Server>(*this); }
    [[nodiscard]] std::unique_ptr<ClientLink> client(keys::PublicKey key) {
        return std::make_unique<Client>(*this, std::move(key));
    }

 private:
    class Client;
    class Server final : public ServerLink {
     public:
        explicit Server(Network& network) : network_(network) { network_.server_ = this; }
        ~Server() override { network_.server_ = nullptr; }
        Server(const Server&) = delete;
        Server& operator=(const Server&) = delete;
        Server(Server&&) = delete;
        Server& operator=(Server&&) = delete;
        void on_message(Heard heard) override { heard_ = std::move(heard); }
        Result<void> send(const keys::PublicKey& peer, std::string_view bytes) override {
            const auto client = network_.clients_.find(peer);
            if (client == network_.clients_.end() || !known_.contains(peer) || !network_.admitted_.contains(peer)) {
                return fail(ErrorCode::kUnavailable, "the peer is not connected");
            }
            return client->second->take(bytes);
        }
        void hear(const keys::PublicKey& peer, std::string_view bytes) {
            known_.insert(peer);
            if (heard_) heard_(peer, bytes);
        }

     private:
        Network& network_;
        Heard heard_;
        std::set<keys::PublicKey> known_;
    };

    class Client final : public ClientLink {
     public:
        Client(Network& network, keys::PublicKey key) : network_(network), key_(std::move(key)) {
            network_.clients_[key_] = this;
        }
        ~Client() override { network_.clients_.erase(key_); }
        Client(const Client&) = delete;
        Client& operator=(const Client&) = delete;
        Client(Client&&) = delete;
        Client& operator=(Client&&) = delete;
        void on_message(Heard heard) override { heard_ = std::move(heard); }
        Result<void> send(std::string_view bytes) override {
            if (network_.server_ == nullptr || !network_.admitted_.contains(key_)) {
                return fail(ErrorCode::kResourceExhausted, "the peer does not read: try again later");
            }
            ASSERT(network_.loop_.post([&network = network_, key = key_, text = std::string(bytes)] {
                if (!network.cut_ && network.server_ != nullptr && network.admitted_.contains(key)) {
                    network.server_->hear(key, text);
                }
            }));
            return {};
        }
        Result<void> reconnect() override {
            inbox_.clear();
            return {};
        }
        Result<void> take(std::string_view bytes) {
            if (inbox_.size() >= static_cast<std::size_t>(limits::kLinkQueueMax)) {
                return fail(ErrorCode::kResourceExhausted, "the peer does not read: try again later");
            }
            inbox_.emplace_back(bytes);
            ASSERT(network_.loop_.post([&network = network_, key = key_] {
                const auto client = network.clients_.find(key);
                if (client != network.clients_.end()) client->second->hear_one();
            }));
            return {};
        }
        void hear_one() {
            if (inbox_.empty()) return;
            const std::string bytes = std::move(inbox_.front());
            inbox_.pop_front();
            if (!network_.cut_ && heard_) heard_(bytes);
        }

     private:
        Network& network_;
        const keys::PublicKey key_;
        Heard heard_;
        std::deque<std::string> inbox_;
    };

    EventLoop& loop_;
    std::set<keys::PublicKey> admitted_;
    bool cut_ = false;
    Server* server_ = nullptr;
    std::map<keys::PublicKey, Client*> clients_;
};

}  // namespace penumbra::zmq::fake
