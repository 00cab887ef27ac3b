#include "proto/keys.hpp"

#include <cstdint>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>

#include "base/digest.hpp"
#include "base/durable_file.hpp"

namespace penumbra::keys {

namespace {
constexpr std::string_view kDigits =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
constexpr std::size_t kKeyChars = 40;

void start_sodium() {
    static const bool ready = sodium_init() >= 0;
    ASSERT(ready);
}

// Z85 (ZeroMQ RFC 32): four bytes, big-endian, are five digits of base 85.
std::string to_z85(std::span<const unsigned char> bytes) {
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 4) {
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 4; ++i)
            word = word << 8U | bytes[at + i];
        for (std::uint32_t divisor = 85 * 85 * 85 * 85; divisor > 0; divisor /= 85)
            text += kDigits[word / divisor % 85];
    }
    return text;
}

std::optional<std::array<unsigned char, 32>> from_z85(std::string_view text) {
    std::array<unsigned char, 32> bytes{};
    if (text.size() != kKeyChars) return std::nullopt;
    for (std::size_t group = 0; group < 8; ++group) {
        std::uint64_t word = 0;
        for (const char c : text.substr(group * 5, 5)) {
            const std::size_t digit = kDigits.find(c);
            if (digit == std::string_view::npos) return std::nullopt;
            word = word * 85 + digit;
        }
        if (word > 0xFFFFFFFFU) return std::nullopt;
        for (std::size_t i = 0; i < 4; ++i)
            bytes[group * 4 + i] = static_cast<unsigned char>(word >> (24 - 8 * i));
    }
    return bytes;
}
}  // namespace

Result<PublicKey> PublicKey::parse(std::string_view z85) {
    if (!from_z85(z85).has_value()) {
        return fail(ErrorCode::kInvalidArgument,
                    "this is not a public key: 40 characters of Z85 are wanted, as `penumbra host token` prints them");
    }
    PublicKey key;
    key.z85_ = z85;
    return key;
}

KeyPair KeyPair::generate() {
    start_sodium();
    KeyPair pair;
    std::array<unsigned char, 32> open{};
    ASSERT(crypto_box_keypair(open.data(), pair.secret_.data()) == 0);
    pair.public_.z85_ = to_z85(open);
    return pair;
}

Result<KeyPair> KeyPair::load(const std::filesystem::path& path) {
    start_sodium();
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return fail_errno(errno, fmt::format("reading the key {}", path.native()));
    if ((status.st_mode & 077U) != 0) {
        return fail(ErrorCode::kPermissionDenied,
                    fmt::format("the key {} may be read by others than its owner: chmod 600 it, and make a new one "
                                "if somebody did",
                                path.native()));
    }
    std::string text = TRY(read_file(path, 4096));
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    const auto secret = from_z85(text);
    sodium_memzero(text.data(), text.size());
    if (!secret.has_value()) {
        return fail(ErrorCode::kDataLoss, fmt::format("{} is not a key of ours: 40 characters of Z85 are wanted; "
                                                      "remove it and enrol this host again",
                                                      path.native()));
    }
    KeyPair pair;
    pair.secret_ = *secret;
    std::array<unsigned char, 32> open{};
    ASSERT(crypto_scalarmult_base(open.data(), pair.secret_.data()) == 0);
    pair.public_.z85_ = to_z85(open);
    return pair;
}

Result<void> KeyPair::save(const std::filesystem::path& path) const {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) {
        return fail(ErrorCode::kAlreadyExists,
                    fmt::format("the key {} is there already and is not replaced: remove it first", path.native()));
    }
    std::string text = to_z85(secret_) + "\n";
    Result<void> written = write_file_durably(path, text, 0600);
    sodium_memzero(text.data(), text.size());
    return written;
}

KeyPair::KeyPair(KeyPair&& other) noexcept : public_(std::move(other.public_)), secret_(other.secret_) {
    sodium_memzero(other.secret_.data(), other.secret_.size());
}

KeyPair& KeyPair::operator=(KeyPair&& other) noexcept {
    if (this == &other) return *this;
    public_ = std::move(other.public_);
    secret_ = other.secret_;
    sodium_memzero(other.secret_.data(), other.secret_.size());
    return *this;
}

KeyPair::~KeyPair() {
    sodium_memzero(secret_.data(), secret_.size());
}

std::string make_token() {
    start_sodium();
    Digest random;
    randombytes_buf(random.bytes.data(), random.bytes.size());
    return random.hex();
}

std::string token_hash(std::string_view token) {
    return sha256(token).hex();
}

}  // namespace penumbra::keys
