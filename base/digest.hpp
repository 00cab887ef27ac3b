#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace penumbra {

/// SHA-256 (FIPS 180-4) of something. Value type.
struct Digest {
    std::array<std::byte, 32> bytes{};

    [[nodiscard]] std::string hex() const;
    [[nodiscard]] static Result<Digest> from_hex(std::string_view text);
    friend auto operator<=>(const Digest&, const Digest&) = default;
};

/// SHA-256 in pieces, by libcrypto. Thread-bound; reusable after finish().
class Sha256 {
 public:
    Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();

    void update(std::span<const std::byte> data);
    void update(std::string_view data);
    [[nodiscard]] Digest finish();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

[[nodiscard]] Digest sha256(std::span<const std::byte> data);
[[nodiscard]] Digest sha256(std::string_view data);

}  // namespace penumbra
