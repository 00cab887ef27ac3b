#include "replay/sampler.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <sodium.h>

#include "packet/bytes.hpp"

namespace penumbra::replay {

static_assert(crypto_shorthash_KEYBYTES == std::tuple_size_v<Sampler::Key>);

Result<Sampler::Key> Sampler::parse_key(std::string_view hex) {
    Key key{};
    bool valid = hex.size() == 2 * key.size();
    for (std::size_t i = 0; valid && i < key.size(); ++i) {
        const char* begin = hex.data() + 2 * i;
        const auto [end, error] = std::from_chars(begin, begin + 2, key[i], 16);
        valid = error == std::errc() && end == begin + 2;
    }
    if (!valid) return fail(ErrorCode::kInvalidArgument, "a sampling key is 32 hex digits");
    return key;
}

double Sampler::place(const packet::Endpoint& client) const {
    packet::Buffer message;
    packet::append_u8(message, static_cast<std::uint8_t>(purpose_));
    client.address.append_to(message);
    packet::append_u16(message, client.port);
    std::array<unsigned char, crypto_shorthash_BYTES> hash{};
    crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(message.data()), message.size(), key_.data());
    std::uint64_t number = 0;
    std::memcpy(&number, hash.data(), sizeof number);
    return std::ldexp(static_cast<double>(number >> 11U), -53);
}

unsigned Sampler::copies(const packet::Endpoint& client, double multiple) const {
    const double whole = std::floor(multiple);
    return static_cast<unsigned>(whole) + (admits(client, multiple - whole) ? 1U : 0U);
}

}  // namespace penumbra::replay
