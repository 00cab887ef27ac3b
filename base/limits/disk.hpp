#pragma once

#include <cstdint>

#include "base/units.hpp"

/// Limits, what stays free of a host's file systems.
namespace penumbra::limits {

// The reserve: a twentieth, as file systems themselves keep for root. Never less than a disk writes in the seconds
// between two looks and the end of what writes; of a large array no more than is needed for that.
inline constexpr std::uint64_t kDiskReserveDivisor = 20;
inline constexpr Bytes kDiskReserveMin{2ULL << 30U};
inline constexpr Bytes kDiskReserveMax{64ULL << 30U};

}  // namespace penumbra::limits
