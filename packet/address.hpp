#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "packet/bytes.hpp"

namespace penumbra::packet {

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};

    [[nodiscard]] static Result<MacAddress> parse(std::string_view text);  ///< "52:54:00:12:34:56"
    /// The caller has checked that six bytes stand at `offset`.
    [[nodiscard]] static MacAddress load(ByteView bytes, std::size_t offset);
    [[nodiscard]] static constexpr MacAddress broadcast() { return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }
    void append_to(Buffer& out) const;
    [[nodiscard]] std::string text() const;
    friend auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

/// An IPv4 or IPv6 address; IPv4 is held as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so one type serves both.
class IpAddress {
 public:
    IpAddress() = default;
    [[nodiscard]] static IpAddress v4(std::uint32_t host_order);
    [[nodiscard]] static IpAddress v6(const std::array<std::uint8_t, 16>& octets);
    [[nodiscard]] static Result<IpAddress> parse(std::string_view text);  ///< "192.0.2.7" or "2001:db8::7"
    /// The caller has checked that 4 (16) bytes stand at `offset`.
    [[nodiscard]] static IpAddress load_v4(ByteView bytes, std::size_t offset);
    [[nodiscard]] static IpAddress load_v6(ByteView bytes, std::size_t offset);

    [[nodiscard]] bool is_v4() const;
    [[nodiscard]] std::uint32_t v4_host_order() const;
    [[nodiscard]] const std::array<std::uint8_t, 16>& octets() const noexcept { return octets_; }
    void append_to(Buffer& out) const;  ///< 4 bytes of an IPv4 address, 16 of an IPv6 one
    [[nodiscard]] std::string text() const;
    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
    std::array<std::uint8_t, 16> octets_{};
};

/// One end of a TCP or UDP flow.
struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;
    [[nodiscard]] std::string text() const;  ///< "192.0.2.7:80", "[2001:db8::7]:80"
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace penumbra::packet

template <>
struct std::hash<penumbra::packet::Endpoint> {
    std::size_t operator()(const penumbra::packet::Endpoint& endpoint) const noexcept;
};
