#include "packet/address.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

namespace penumbra::packet {

namespace {
constexpr std::size_t kV4Offset = 12;

std::string_view as_text(const std::array<std::uint8_t, 16>& octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}
}  // namespace

Result<MacAddress> MacAddress::parse(std::string_view text) {
    MacAddress address;
    bool valid = text.size() == 17;
    for (std::size_t i = 0; valid && i < address.octets.size(); ++i) {
        const char* begin = text.data() + 3 * i;
        const auto [end, error] = std::from_chars(begin, begin + 2, address.octets[i], 16);
        valid = error == std::errc() && end == begin + 2 && (i == 5 || *end == ':');
    }
    if (!valid) return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a MAC address", text));
    return address;
}

MacAddress MacAddress::load(ByteView bytes, std::size_t offset) {
    MacAddress address;
    for (std::size_t i = 0; i < address.octets.size(); ++i)
        address.octets[i] = load_u8(bytes, offset + i);
    return address;
}

void MacAddress::append_to(Buffer& out) const {
    for (const std::uint8_t octet : octets)
        append_u8(out, octet);
}

std::string MacAddress::text() const {
    return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", octets[0], octets[1], octets[2], octets[3],
                       octets[4], octets[5]);
}

IpAddress IpAddress::v4(std::uint32_t host_order) {
    IpAddress address;
    address.octets_[10] = address.octets_[11] = 0xff;
    for (std::size_t i = 0; i < 4; ++i)
        address.octets_[kV4Offset + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& octets) {
    IpAddress address;
    address.octets_ = octets;
    return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
    const std::string terminated(text.substr(0, INET6_ADDRSTRLEN));
    in_addr four{};
    if (::inet_pton(AF_INET, terminated.c_str(), &four) == 1) return v4(ntohl(four.s_addr));
    std::array<std::uint8_t, 16> six{};
    if (::inet_pton(AF_INET6, terminated.c_str(), six.data()) == 1) return v6(six);
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not an IP address", terminated));
}

IpAddress IpAddress::load_v4(ByteView bytes, std::size_t offset) {
    return v4(load_u32(bytes, offset));
}

IpAddress IpAddress::load_v6(ByteView bytes, std::size_t offset) {
    std::array<std::uint8_t, 16> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i)
        octets[i] = load_u8(bytes, offset + i);
    return v6(octets);
}

bool IpAddress::is_v4() const {
    return std::all_of(octets_.begin(), octets_.begin() + 10, [](std::uint8_t octet) { return octet == 0; }) &&
           octets_[10] == 0xff && octets_[11] == 0xff;
}

std::uint32_t IpAddress::v4_host_order() const {
    return static_cast<std::uint32_t>(octets_[12]) << 24U | static_cast<std::uint32_t>(octets_[13]) << 16U |
           static_cast<std::uint32_t>(octets_[14]) << 8U | octets_[15];
}

void IpAddress::append_to(Buffer& out) const {
    for (std::size_t i = is_v4() ? kV4Offset : 0; i < octets_.size(); ++i)
        append_u8(out, octets_[i]);
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool four = is_v4();
    const void* bytes = four ? octets_.data() + kV4Offset : octets_.data();
    ASSERT(::inet_ntop(four ? AF_INET : AF_INET6, bytes, text.data(), text.size()) != nullptr);
    return text.data();
}

std::string Endpoint::text() const {
    return address.is_v4() ? fmt::format("{}:{}", address.text(), port) : fmt::format("[{}]:{}", address.text(), port);
}

}  // namespace penumbra::packet

std::size_t std::hash<penumbra::packet::Endpoint>::operator()(
    const penumbra::packet::Endpoint& endpoint) const noexcept {
    const std::size_t address = std::hash<std::string_view>{}(penumbra::packet::as_text(endpoint.address.octets()));
    return address ^ (static_cast<std::size_t>(endpoint.port) * 0x9e3779b97f4a7c15ULL);
}
