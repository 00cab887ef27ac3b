#pragma once

#include <span>
#include <string>

#include "base/result.hpp"
#include "packet/address.hpp"

namespace penumbra::netisolate {

/// Makes every IPv4 address local to the calling thread's network namespace, but for the guests', which are reached by
/// `link`: `local 0.0.0.0/0 dev lo` and `GUEST/32 dev link`, both in the table `local`, which is asked first. From then
/// on any process binds any client's address without a capability, ARP for any address but a guest's is answered, and
/// whatever a guest sends outward ends here and is refused. Idempotent. Needs CAP_NET_ADMIN over the namespace.
/// Never in the host's own namespace: it refuses PID 1's, and one that has a default route.
[[nodiscard]] Result<void> take_every_address(const std::string& link, std::span<const packet::IpAddress> guests);

}  // namespace penumbra::netisolate
