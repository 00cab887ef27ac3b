#pragma once

#include <compare>
#include <cstdint>

namespace penumbra {

/// A number of bytes. Durations are always std::chrono; everything else says its unit last in its name.
class Bytes {
 public:
    constexpr Bytes() = default;
    constexpr explicit Bytes(std::uint64_t count) noexcept : count_(count) {}
    [[nodiscard]] constexpr std::uint64_t count() const noexcept { return count_; }
    friend constexpr auto operator<=>(Bytes, Bytes) = default;
    friend constexpr Bytes operator+(Bytes a, Bytes b) noexcept { return Bytes(a.count_ + b.count_); }
    friend constexpr Bytes operator-(Bytes a, Bytes b) noexcept { return Bytes(a.count_ - b.count_); }
    constexpr Bytes& operator+=(Bytes other) noexcept {
        count_ += other.count_;
        return *this;
    }

 private:
    std::uint64_t count_ = 0;
};

namespace unit_literals {
constexpr Bytes operator""_B(unsigned long long n) noexcept {
    return Bytes(n);
}
constexpr Bytes operator""_KiB(unsigned long long n) noexcept {
    return Bytes(n << 10);
}
constexpr Bytes operator""_MiB(unsigned long long n) noexcept {
    return Bytes(n << 20);
}
constexpr Bytes operator""_GiB(unsigned long long n) noexcept {
    return Bytes(n << 30);
}
}  // namespace unit_literals

}  // namespace penumbra
