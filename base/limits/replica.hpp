#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/units.hpp"

/// Limits, hypervisor: replicas.
namespace penumbra::limits {

using namespace std::chrono_literals;

inline constexpr std::uint64_t kBitmapGranularityBytes = 64 * 1024;  ///< QEMU's default, what libvirt 9 asks for
inline constexpr std::uint64_t kBlockBytes = 64 * 1024;              ///< what is hashed, and qcow2's cluster
inline constexpr std::uint64_t kLeafBytes = 1024 * 1024;
inline constexpr std::uint64_t kReadChunkBytesMax = 256 * 1024;
inline constexpr std::uint64_t kZeroChunkBytesMax = 64 * 1024 * 1024;
inline constexpr std::uint64_t kVolumeBytesMax = 16ULL << 40U;
inline constexpr std::size_t kVolumesPerVmMax = 64;
inline constexpr std::uint32_t kReplicaLayersMax = 32;  ///< then the next generation is read whole
inline constexpr std::size_t kManifestBytesMax = 64 * 1024;
static_assert(kLeafBytes % kBlockBytes == 0 && kReadChunkBytesMax % kBlockBytes == 0);

// hypervisor: reading a backup over NBD
inline constexpr unsigned kDataConnections = 4;
inline constexpr unsigned kRequestsPerConnection =
    4;  ///< QEMU serves 16; more than these gain nothing, but hold memory
inline constexpr std::uint64_t kBlockStatusBytesMax = 1ULL << 30U;  ///< one question; a reply counts in 32 bits
inline constexpr auto kNbdConnectMax = 10s;
inline constexpr auto kNbdAnswerMax = 20s;     ///< to a question about block status
inline constexpr auto kNbdReadStallMax = 30s;  ///< no chunk at all for so long: the server hangs
inline constexpr auto kStopCheckInterval = 100ms;

// pacing a copy by the guest's own requests
inline constexpr auto kPaceWindow = 250ms;             ///< how often the guest's counters are looked at
inline constexpr auto kPacePatience = 2s;              ///< for kPaceRequestsMin of them to come
inline constexpr std::uint64_t kPaceRequestsMin = 32;  ///< a mean of fewer says nothing: requests differ a hundredfold
inline constexpr std::uint64_t kPaceUsualRequests =
    32;                                     ///< so many weighs the guest's whole life beside its last moments
inline constexpr int kPaceTolerance = 150;  ///< percent of what the guest is used to
inline constexpr auto kPaceSlack = 100us;   ///< or so much more, which nobody feels
inline constexpr auto kPaceBurst = 20ms;    ///< what may be read at once, at the rate
inline constexpr auto kPaceCalm = 2s;       ///< nothing is read, to see what the guest has without a copy
inline constexpr auto kPaceRelearn = 20s;   ///< at the least rate or nearly; then comes a calm
inline constexpr double kPaceRise = 1.25;
inline constexpr double kPaceCut = 0.6;
inline constexpr Bytes kPaceRateBegin(32ULL << 20U);
inline constexpr Bytes kPaceRateMin(8ULL << 20U);
inline constexpr Bytes kPaceRateMax(2ULL << 30U);

// keeping replicas
inline constexpr std::uint64_t kWriteBehindBytes = 8 * 1024 * 1024;  ///< written before pages are pushed to the disk
inline constexpr std::uint64_t kRereadBytes = 1024 * 1024;           ///< one direct read
inline constexpr std::size_t kBlockTableBytesMax = (kVolumeBytesMax / kLeafBytes + 1) * 520 + 1024;
static_assert(kRereadBytes % kBlockBytes == 0);

// looking for our bitmaps in production's images
inline constexpr std::size_t kImageHeadBytes = 64 * 1024;                 ///< its header and what it lies on
inline constexpr std::size_t kBitmapDirectoryBytesMax = 4 * 1024 * 1024;  ///< some 4,000 of the longest names
inline constexpr std::size_t kImageChainMax = 256;                        ///< libvirt's own: 200

}  // namespace penumbra::limits
