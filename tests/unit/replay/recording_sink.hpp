#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replay/exchange.hpp"

namespace penumbra::replay::testing {

/// Keeps everything it is told.
class RecordingSink final : public ExchangeSink {
 public:
    void exchange(Exchange exchange) override { exchanges.push_back(std::move(exchange)); }
    void lost(const packet::Endpoint&, CaptureLoss why) override { losses.push_back(why); }
    void connection_ended(std::uint64_t connection, Instant) override { ended.push_back(connection); }

    std::vector<Exchange> exchanges;
    std::vector<CaptureLoss> losses;
    std::vector<std::uint64_t> ended;
};

inline packet::ByteView view(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string text_of(packet::ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace penumbra::replay::testing
