#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"

/// Quantities as people read them, the same in tables and in the report. Pure.
namespace penumbra::cli {

/// 2026-11-24T03:52:25.123Z
[[nodiscard]] std::string iso_time(WallTime time);
/// How many terminal columns a UTF-8 text takes, one a code point; a broken sequence counts each byte.
[[nodiscard]] std::size_t columns_of(std::string_view text) noexcept;

/// 1536 -> "1.5 KiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// 0.0312 -> "+3.1 %".
[[nodiscard]] std::string effect_text(double relative);

}  // namespace penumbra::cli
