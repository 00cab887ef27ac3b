#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace penumbra::analysis {

/// Seeded random numbers, the same on every machine (the standard's distributions are not). Value type, not shared.
/// xoshiro256** of Blackman and Vigna, seeded by splitmix64; period 2^256 - 1; a number costs about a nanosecond.
class Random {
 public:
    explicit Random(std::uint64_t seed) noexcept {
        for (auto& word : state_)
            word = split_mix(seed);
    }

    /// 64 uniform bits.
    [[nodiscard]] std::uint64_t bits() noexcept {
        const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = rotate(state_[3], 45);
        return result;
    }

    /// Uniform in [0, 1), 53 bits.
    [[nodiscard]] double uniform() noexcept { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }

    /// Uniform in [0, bound), bound > 0; Lemire's multiplication, bias below 2^-32 for bounds below 2^32.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((Wide{bits()} * bound) >> 64);
    }

    /// Standard normal, by Box and Muller (one of the two values is used, so that the stream has no hidden state).
    [[nodiscard]] double normal() noexcept {
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
        return radius * std::cos(2.0 * std::numbers::pi * uniform());
    }

    /// Exponential with mean 1.
    [[nodiscard]] double exponential() noexcept { return -std::log(1.0 - uniform()); }

 private:
    static std::uint64_t rotate(std::uint64_t value, int by) noexcept { return (value << by) | (value >> (64 - by)); }
    static std::uint64_t split_mix(std::uint64_t& seed) noexcept {
        seed += 0x9e3779b97f4a7c15ULL;
        std::uint64_t mixed = seed;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
        return mixed ^ (mixed >> 31);
    }
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace penumbra::analysis
