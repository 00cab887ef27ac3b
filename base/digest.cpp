#include "base/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/c_handle.hpp"

namespace penumbra {

namespace {
int nibble(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}
}  // namespace

std::string Digest::hex() const {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte b : bytes)
        text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
    return text;
}

Result<Digest> Digest::from_hex(std::string_view text) {
    Digest digest;
    if (text.size() != digest.bytes.size() * 2) {
        return fail(ErrorCode::kInvalidArgument, fmt::format("a SHA-256 has 64 hex digits, this has {}", text.size()));
    }
    for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
        const int high = nibble(text[2 * i]);
        const int low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return fail(ErrorCode::kInvalidArgument, "a SHA-256 is written in lower-case hex digits");
        }
        digest.bytes[i] = static_cast<std::byte>(high * 16 + low);
    }
    return digest;
}

struct Sha256::State {
    CHandle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    ASSERT(state_->context != nullptr && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> data) {
    ASSERT(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1);
}

void Sha256::update(std::string_view data) {
    update(std::as_bytes(std::span(data)));
}

Digest Sha256::finish() {
    Digest digest;
    // FIPS length is fixed; libcrypto writes through unsigned char*, the one cast of this file.
    ASSERT(EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(digest.bytes.data()), nullptr) ==
           1);
    ASSERT(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
    return digest;
}

Digest sha256(std::span<const std::byte> data) {
    Sha256 hash;
    hash.update(data);
    return hash.finish();
}

Digest sha256(std::string_view data) {
    return sha256(std::as_bytes(std::span(data)));
}

}  // namespace penumbra
