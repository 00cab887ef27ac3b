#pragma once

#include <cstddef>

/// Limits, base.
namespace penumbra::limits {

inline constexpr std::size_t kIdBytesMax = 64;
inline constexpr std::size_t kChannelItemsMax = 1024;
inline constexpr std::size_t kPostedCallsMax = 4096;
inline constexpr std::size_t kLogFieldsMax = 24;

}  // namespace penumbra::limits
