#include "tests/support/http_server.hpp"

#include <array>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace penumbra::testing {

namespace {
packet::Endpoint endpoint_of(const sockaddr_in& address) {
    return {packet::IpAddress::v4(ntohl(address.sin_addr.s_addr)), ntohs(address.sin_port)};
}
}  // namespace

HttpServer::HttpServer(EventLoop& loop, const std::string& address, std::uint16_t port)
    : loop_(loop), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_port = htons(port);
    ASSERT(::inet_pton(AF_INET, address.c_str(), &local.sin_addr) == 1);
    const int one = 1;
    ASSERT(::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
    ASSERT(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0);
    ASSERT(::listen(listener_.get(), 128) == 0);
    socklen_t length = sizeof local;
    ASSERT(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&local), &length) == 0);
    endpoint_ = endpoint_of(local);
    listening_ = loop_.watch_fd(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); }).value();
}

void HttpServer::accept() {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    auto client = std::make_unique<Client>();
    client->socket.reset(
        ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client->socket.valid()) return;
    ++accepted_;
    client->name = endpoint_of(peer).text();
    const int fd = client->socket.get();
    client->io = loop_.watch_fd(fd, EPOLLIN, [this, fd](std::uint32_t) { read(fd); }).value();
    clients_[fd] = std::move(client);
}

void HttpServer::read(int fd) {
    std::array<std::byte, 4096> buffer{};
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) {
        clients_.erase(fd);
        return;
    }
    packet::ByteView bytes(buffer.data(), static_cast<std::size_t>(got));
    while (!bytes.empty() && clients_.contains(fd)) {
        Client& client = *clients_.at(fd);
        if (client.head.size() < 200) client.head.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        const auto [consumed, status] = client.framer.feed(bytes);
        bytes = bytes.subspan(consumed);
        if (status == replay::framer::Http1Framer::Status::kMalformed) {
            clients_.erase(fd);
        } else if (status == replay::framer::Http1Framer::Status::kComplete) {
            answer(fd, client);
        }
    }
}

void HttpServer::answer(int fd, Client& client) {
    const std::string request = client.head.substr(0, client.head.find(" HTTP/"));
    client.head.clear();
    log.push_back({client.name, request});
    const auto asks = [&](std::string_view path) { return request.find(path) != std::string::npos; };
    std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    if (asks("/down")) answer = "HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n";
    if (asks("/half")) answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    if (asks("/close")) answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    if (asks("/never") || asks("/drop")) answer = {};
    if (!answer.empty()) static_cast<void>(::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL));
    if (asks("/drop") || asks("/half") || asks("/close")) clients_.erase(fd);
}

}  // namespace penumbra::testing
