#include "replay/reassembly.hpp"

#include <cstddef>
#include <cstdint>

#include "packet/transport.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
using penumbra::Instant;
using penumbra::packet::ByteView;
using penumbra::packet::Endpoint;
using penumbra::packet::IpAddress;
using penumbra::packet::TcpSegment;
namespace replay = penumbra::replay;

class CountingSink final : public replay::ExchangeSink {
 public:
    void exchange(replay::Exchange exchange) override { bytes += exchange.request.size(); }
    void lost(const Endpoint&, replay::CaptureLoss) override { ++losses; }
    void connection_ended(std::uint64_t, Instant) override { ++ended; }
    std::size_t bytes = 0;
    std::size_t losses = 0;
    std::size_t ended = 0;
};

const Endpoint kServer{IpAddress::v4(1), 80};
}  // namespace

// Segments of few connections: [who and which][flags][sequence, 16 bits][length][payload]...
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
    CountingSink sink;
    replay::Reassembly reassembly({.servers = {kServer}, .connections_max = 4}, sink);
    std::size_t step = 0;
    for (std::size_t at = 0; at + 5 <= size; ++step) {
        const unsigned who = data[at];
        const Endpoint client{IpAddress::v4(2), static_cast<std::uint16_t>(who / 2 % 8)};
        const std::size_t length = data[at + 4] < size - at - 5 ? data[at + 4] : size - at - 5;
        TcpSegment segment{.source = who % 2 == 0 ? client : kServer,
                           .destination = who % 2 == 0 ? kServer : client,
                           .sequence = 0xffffff00U + penumbra::packet::load_u16(bytes, at + 2),
                           .acknowledgement = 0xffffff00U + penumbra::packet::load_u16(bytes, at + 2),
                           .flags = data[at + 1],
                           .payload = bytes.subspan(at + 5, length)};
        reassembly.segment(segment, Instant(std::chrono::seconds(step)));
        at += 5 + length;
    }
    reassembly.expire(Instant(std::chrono::hours(24 * 365)), std::chrono::seconds(1));
    if (reassembly.connections() != 0) __builtin_trap();
    return 0;
}
