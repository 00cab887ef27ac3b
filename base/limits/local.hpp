#pragma once

#include <cstddef>

/// Limits, local socket: the CLI's requests and the coordinator's replies.
namespace penumbra::limits {

inline constexpr std::size_t kApiBytesMax = 32 * 1024 * 1024;
inline constexpr std::size_t kItemsPerReplyMax = 16'384;
inline constexpr std::size_t kTomlBytesMax = 256 * 1024;
inline constexpr std::size_t kHistoryCsvBytesMax = 8 * 1024 * 1024;
static_assert(kHistoryCsvBytesMax < kApiBytesMax);

}  // namespace penumbra::limits
