#include "replay/endpoint_argument.hpp"

#include <charconv>

#include <fmt/format.h>

namespace penumbra::replay {

namespace {
Result<packet::Endpoint> read_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    packet::Endpoint endpoint;
    if (colon != std::string_view::npos) {
        std::string_view address = text.substr(0, colon);
        if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
        const std::string_view port = text.substr(colon + 1);
        const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
        const auto parsed = packet::IpAddress::parse(address);
        if (parsed.has_value() && error == std::errc() && end == port.data() + port.size() && endpoint.port != 0) {
            endpoint.address = *parsed;
            return endpoint;
        }
    }
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not an address with a port", text));
}
}  // namespace

Result<std::vector<packet::Endpoint>> read_endpoints(std::span<const std::string> texts) {
    if (texts.empty()) return fail(ErrorCode::kInvalidArgument, "--server must be given: ADDRESS:PORT of the group");
    std::vector<packet::Endpoint> endpoints;
    for (const std::string& text : texts)
        endpoints.push_back(TRY(read_endpoint(text)));
    return endpoints;
}

}  // namespace penumbra::replay
