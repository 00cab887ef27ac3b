#pragma once

#include <cstddef>

/// Limits, base: programs of others that are run to their end.
namespace penumbra::limits {

inline constexpr std::size_t kProgramOutputBytesMax = 4096;  ///< kept of what one says; the rest is read and dropped

}  // namespace penumbra::limits
