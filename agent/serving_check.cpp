#include "agent/serving_check.hpp"

#include <array>
#include <cerrno>
#include <chrono>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/limits/flows.hpp"
#include "base/unique_fd.hpp"
#include "netisolate/netlink/namespace_scope.hpp"
#include "packet/address.hpp"
#include "replay/endpoint_argument.hpp"

namespace penumbra::agent {

Result<bool> is_served(const std::string& space, const std::string& server) {
    const std::array texts{server};
    const packet::Endpoint endpoint = TRY(replay::read_endpoints(texts)).front();
    // A clone of a service that speaks IPv6 only cannot be asked: replay is IPv4 as well.
    if (!endpoint.address.is_v4()) return fail(ErrorCode::kUnsupported, fmt::format("{} is no IPv4 address", server));
    sockaddr_in address{.sin_family = AF_INET,
                        .sin_port = htons(endpoint.port),
                        .sin_addr = {.s_addr = htonl(endpoint.address.v4_host_order())}};
    // The socket belongs to the namespace it was made in.
    UniqueFd socket;
    {
        const auto inside = TRY(netisolate::NamespaceScope::enter(space));
        socket.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    }
    if (!socket.valid()) return fail_errno(errno, "making a socket");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    if (errno != EINPROGRESS) return false;
    pollfd wait{.fd = socket.get(), .events = POLLOUT};
    const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(limits::kServingCheckMax).count();
    if (::poll(&wait, 1, static_cast<int>(longest)) <= 0) return false;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return fail_errno(errno, "asking what became of a connection");
    return error == 0;
}

}  // namespace penumbra::agent
