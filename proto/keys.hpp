#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace penumbra::keys {

/// A CURVE (X25519) public key; written as 40 characters of Z85 (ZeroMQ RFC 32). The identity of an agent.
class PublicKey {
 public:
    PublicKey() = default;
    [[nodiscard]] static Result<PublicKey> parse(std::string_view z85);
    [[nodiscard]] const std::string& z85() const noexcept { return z85_; }
    [[nodiscard]] bool empty() const noexcept { return z85_.empty(); }
    friend auto operator<=>(const PublicKey&, const PublicKey&) = default;
    friend bool operator==(const PublicKey&, const PublicKey&) = default;

 private:
    friend class KeyPair;
    std::string z85_;
};

/// Both halves; the secret one is wiped when it goes. Move-only.
class KeyPair {
 public:
    [[nodiscard]] static KeyPair generate();
    /// From a file of ours; one that others than its owner may read is refused.
    [[nodiscard]] static Result<KeyPair> load(const std::filesystem::path& path);
    /// Mode 0600, durable; an existing file is refused: a key is never silently replaced.
    [[nodiscard]] Result<void> save(const std::filesystem::path& path) const;

    KeyPair(KeyPair&& other) noexcept;
    KeyPair& operator=(KeyPair&& other) noexcept;
    KeyPair(const KeyPair&) = delete;
    KeyPair& operator=(const KeyPair&) = delete;
    ~KeyPair();

    [[nodiscard]] const PublicKey& public_key() const noexcept { return public_; }
    [[nodiscard]] const std::array<unsigned char, 32>& secret() const noexcept { return secret_; }

 private:
    KeyPair() = default;
    PublicKey public_;
    std::array<unsigned char, 32> secret_{};
};

/// A one-use enrolment token: 32 random bytes, as 64 hex digits. Only its hash is stored.
[[nodiscard]] std::string make_token();
[[nodiscard]] std::string token_hash(std::string_view token);

}  // namespace penumbra::keys
