#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>

namespace penumbra::hypervisor {

/// Big-endian numbers and text from the front of foreign bytes; reading past the end makes it bad and gives zeroes.
class ByteCursor {
 public:
    explicit ByteCursor(std::span<const std::byte> bytes) : rest_(bytes) {}

    template <std::unsigned_integral Number>
    Number take() {
        if (rest_.size() < sizeof(Number)) {
            good_ = false;
            return 0;
        }
        Number value = 0;
        for (std::size_t i = 0; i < sizeof value; ++i)
            value = static_cast<Number>(value << 8U | std::to_integer<Number>(rest_[i]));
        rest_ = rest_.subspan(sizeof value);
        return value;
    }
    std::string text(std::size_t length) {
        if (rest_.size() < length) {
            good_ = false;
            return {};
        }
        std::string taken;
        for (const std::byte byte : rest_.first(length))
            taken += std::to_integer<char>(byte);
        rest_ = rest_.subspan(length);
        return taken;
    }
    [[nodiscard]] bool good() const { return good_; }

 private:
    std::span<const std::byte> rest_;
    bool good_ = true;
};

}  // namespace penumbra::hypervisor
