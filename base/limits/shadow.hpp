#pragma once

#include <cstdint>

/// Limits, hypervisor: the size of a shadow.
namespace penumbra::limits {

inline constexpr std::uint64_t kShadowMemoryFloorBytes = 256ULL << 20U;  ///< or production's, if that is less
inline constexpr std::uint64_t kShadowMemoryFloorWindowsBytes = 2ULL << 30U;

}  // namespace penumbra::limits
