#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "packet/address.hpp"
#include "replay/framer/http1.hpp"

namespace penumbra::testing {

/// A small HTTP/1.1 server on the test's loop, with a log of whom it saw. The path says how it behaves: /ok answers,
/// /close answers and closes, /drop closes instead of answering, /half answers half, /never never answers, /down 503.
class HttpServer {
 public:
    HttpServer(EventLoop& loop, const std::string& address, std::uint16_t port = 0);

    struct Line {
        std::string client;   ///< "127.0.0.9:40000"
        std::string request;  ///< "GET /ok"
    };
    std::vector<Line> log;
    [[nodiscard]] packet::Endpoint endpoint() const { return endpoint_; }
    [[nodiscard]] std::size_t connections() const { return accepted_; }
    [[nodiscard]] std::size_t open_connections() const { return clients_.size(); }
    void close_all() { clients_.clear(); }

 private:
    struct Client {
        UniqueFd socket;
        EventLoop::Source io;
        std::string name;
        std::string head;
        replay::framer::Http1Framer framer{replay::framer::Http1Framer::Role::kRequest};
    };
    void accept();
    void read(int fd);
    void answer(int fd, Client& client);

    EventLoop& loop_;
    packet::Endpoint endpoint_;
    UniqueFd listener_;
    EventLoop::Source listening_;
    std::map<int, std::unique_ptr<Client>> clients_;
    std::size_t accepted_ = 0;
};

}  // namespace penumbra::testing
