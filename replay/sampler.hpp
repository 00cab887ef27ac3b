#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "packet/address.hpp"

namespace penumbra::replay {

/// What of the clients is taken, by keyed hash (SipHash-2-4 of the connection's client end): all exchanges of a
/// connection together, the same in every arm, and a smaller share always inside a larger one. Value type; pure.
class Sampler {
 public:
    using Key = std::array<std::uint8_t, 16>;
    /// Two samplers of one key and different purposes choose independently.
    enum class Purpose : std::uint8_t { kShare = 1, kMultiple = 2 };

    Sampler(const Key& key, Purpose purpose) : key_(key), purpose_(purpose) {}
    [[nodiscard]] static Result<Key> parse_key(std::string_view hex);

    /// Where this client stands in [0, 1).
    [[nodiscard]] double place(const packet::Endpoint& client) const;
    /// Below `share`; 1 takes everybody.
    [[nodiscard]] bool admits(const packet::Endpoint& client, double share) const { return place(client) < share; }
    /// How often this client's connections are replayed at `multiple`: its whole part, once more for its fraction.
    [[nodiscard]] unsigned copies(const packet::Endpoint& client, double multiple) const;

 private:
    Key key_;
    Purpose purpose_;
};

}  // namespace penumbra::replay
