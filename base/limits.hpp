#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound of the system, in one place. A queue, retry, message or wait without a name here is a defect.
namespace penumbra::limits {

using namespace std::chrono_literals;

// base
inline constexpr std::size_t kIdBytesMax = 64;
inline constexpr std::size_t kChannelItemsMax = 1024;
inline constexpr std::size_t kPostedCallsMax = 4096;
inline constexpr std::size_t kLogFieldsMax = 24;

// fleet link: heartbeats, contact, commands
inline constexpr auto kHeartbeatInterval = 5s;
inline constexpr unsigned kHeartbeatsMissedSuspect = 3;
inline constexpr auto kContactUnreachable = 30s;
inline constexpr std::size_t kEnvelopeBytesMax = 256 * 1024;
inline constexpr std::size_t kCommandsInFlightPerAgentMax = 8;
static_assert(kHeartbeatInterval * kHeartbeatsMissedSuspect < kContactUnreachable,
              "an agent is suspect before it is unreachable");

// agent core: what one host remembers
inline constexpr std::size_t kCommandsRememberedPerAgentMax = 64;  ///< running, and final without acknowledgement
inline constexpr std::size_t kFencesPerAgentMax = 4096;
inline constexpr std::size_t kKpiWindowsUnackedMax = 16'384;
inline constexpr std::size_t kKpiWindowsPerReportMax = 32;
inline constexpr std::size_t kKpiVantagesMax = 256;  ///< beyond, those with nothing to send are forgotten
inline constexpr std::size_t kTroublesMax = 16;
inline constexpr auto kHelloRetryBase = 1s;
inline constexpr auto kHelloRetryMax = 60s;
inline constexpr auto kFirstSpread = 5s;  ///< a fresh agent's wait before its first Hello is a uniform share of it
static_assert(kCommandsInFlightPerAgentMax < kCommandsRememberedPerAgentMax,
              "a credit's worth can always be remembered");

// coordinator core: what the fleet's memory holds
inline constexpr std::size_t kHostsMax = 10'000;
inline constexpr std::size_t kCommandsOpenPerHostMax = 128;
inline constexpr std::size_t kCommandsListedMax = 1024;
inline constexpr std::size_t kTrialsListedMax = 256;
inline constexpr std::size_t kRolloutsListedMax = 256;
inline constexpr std::size_t kGenerationsListedMax = 64;
inline constexpr std::size_t kRequestsRememberedMax = 4096;
inline constexpr std::size_t kKpiWindowsPerVantageMax = 8192;
inline constexpr std::size_t kHeldSendsMax = 65'536;
inline constexpr std::size_t kNameBytesMax = 40;  ///< of a shadow, trial or rollout: room for a prefix in kIdBytesMax
inline constexpr auto kTimeToAccept = 30s;
inline constexpr auto kCommandResendInterval = 10s;
inline constexpr auto kOwnStall = 2s;  ///< between two ticks: we slept, so nobody else is blamed for silence
inline constexpr std::size_t kMassBrakeHostsMin = 10;
inline constexpr double kMassBrakeShare = 0.05;
inline constexpr auto kKpiGrace = 30s;  ///< beyond a span's length before its missing windows make a trial INVALID

// wire: what a message may hold, checked before memory is taken for it (proto/codec)
inline constexpr int kWireDepthMax = 16;
inline constexpr std::size_t kTextBytesMax = 4096;
inline constexpr std::size_t kHashTextBytesMax = 128;
inline constexpr auto kWireDurationMax = 24h * 3650;
inline constexpr std::size_t kVmsPerHostMax = 1024;
inline constexpr std::size_t kDisksPerVmMax = 64;
inline constexpr std::size_t kNicsPerVmMax = 64;
inline constexpr std::size_t kReasonsMax = 64;
inline constexpr std::size_t kArmsPerShadowMax = 8;
inline constexpr std::size_t kTuningsMax = 64;
inline constexpr std::size_t kReportsPerHelloMax = 256;
inline constexpr std::size_t kEffectsPerReportMax = 256;
inline constexpr std::size_t kShadowsPerReportMax = 64;
inline constexpr std::size_t kKpiAcksMax = 256;
inline constexpr std::size_t kKpisPerVerdictMax = 64;
inline constexpr std::size_t kHistogramBucketsMax = 4096;
inline constexpr std::size_t kLoadStepsMax = 64;
inline constexpr std::size_t kWavesMax = 64;
inline constexpr std::size_t kRolloutTargetsMax = 1024;
inline constexpr std::size_t kQuantilesMax = 32;
inline constexpr double kReplayRateMultipleMax = 1000;
static_assert(kTroublesMax <= kReasonsMax && kCommandsRememberedPerAgentMax <= kReportsPerHelloMax,
              "what an agent holds can be sent");

inline constexpr std::size_t kInterfacesListenedMax = 256;  ///< by one isolation probe

// local socket: the CLI's requests and the coordinator's replies
inline constexpr std::size_t kApiBytesMax = 32 * 1024 * 1024;
inline constexpr std::size_t kItemsPerReplyMax = 16'384;
inline constexpr std::size_t kTomlBytesMax = 256 * 1024;
inline constexpr std::size_t kHistoryCsvBytesMax = 8 * 1024 * 1024;
static_assert(kHistoryCsvBytesMax < kApiBytesMax);

// effects
inline constexpr auto kLeaseMin = 5s;
inline constexpr auto kLeaseMax = 24h;
inline constexpr auto kPartitionLeaseMax = 65'535s;  ///< OpenFlow keeps hard_timeout in 16 bits
inline constexpr std::size_t kJournalEntryBytesMax = 64 * 1024;
inline constexpr std::size_t kJournalEntriesMax = 1024;
inline constexpr auto kLockWait = 20s;             ///< for another penumbra-revert, or for a killed agent to be gone
inline constexpr auto kDeadManGrace = 2s;          ///< after the lease: a living agent reverts by itself first
inline constexpr auto kDeadManAccuracy = 1s;       ///< systemd may coalesce timers within it
inline constexpr auto kDeadManRetryInterval = 2s;  ///< penumbra-revert failed (libvirtd is down): again
inline constexpr auto kBusCallTimeout = 10s;
inline constexpr auto kUnitJobTimeout = 60s;  ///< to start or stop a unit
static_assert(kDeadManGrace + kDeadManAccuracy < kLeaseMin, "the host undoes an orphan within the shortest lease");

// analysis
inline constexpr std::uint64_t kHistogramValueMax = 3'600'000'000;  ///< one hour in microseconds
inline constexpr std::size_t kSampleValuesMax = 4'000'000;          ///< longest series a statistic takes
inline constexpr std::size_t kBlocksMax = 200;                      ///< blocks a series is cut into before a rank test
inline constexpr std::size_t kAutocorrelationLagMax = 512;
inline constexpr std::size_t kPairsMax = 4'000'000;  ///< Walsh averages or pairwise differences held at once
inline constexpr double kMoreDataFactorMax = 20;     ///< times the data at hand beyond which "run longer" is no advice
inline constexpr std::size_t kForecastHistoryMax = 200'000;  ///< points of one series a model is fitted to
inline constexpr std::size_t kForecastHorizonMax = 4096;     ///< steps ahead
inline constexpr std::size_t kArrivalsMax = 50'000'000;      ///< requests of one planned load step

// netisolate
inline constexpr std::size_t kGuestPortsPerSandboxMax = 16;
inline constexpr std::size_t kInterfaceNameBytesMax = 15;  // IFNAMSIZ without its zero
inline constexpr std::size_t kDatapathLineBytesMax = 64 * 1024;
inline constexpr std::size_t kDatapathFlowsMax = 250'000;  // Open vSwitch's own flow-limit is 200 000
inline constexpr unsigned kDatapathNestingMax = 8;
inline constexpr std::size_t kSwitchReplyBytesMax = 64 * 1024 * 1024;
inline constexpr auto kSwitchCallDeadline = 5s;  // one question to ovsdb-server or ovs-vswitchd
inline constexpr auto kIsolationAuditInterval = 400ms;
inline constexpr auto kIsolationSeverWithin = 1s;  // from a leak's appearance to taps that are down
inline constexpr auto kIsolationBlindMax = 10s;    // this long without an audit: taps down
static_assert(kIsolationAuditInterval * 2 < kIsolationSeverWithin,
              "an audit that just missed a leak has time to run again");
static_assert(kSwitchCallDeadline < kIsolationBlindMax);

// hypervisor: replicas
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

// traffic: capture, replay
inline constexpr std::size_t kOutOfOrderBytesMax = 256 * 1024;  ///< of one direction of a connection
inline constexpr std::size_t kOutOfOrderSegmentsMax = 512;
inline constexpr std::size_t kConnectionsMax = 16 * 1024;   ///< at one vantage; one more evicts the longest idle
inline constexpr std::size_t kClosedConnectionsMax = 1024;  ///< remembered, so that their echoes open nothing
inline constexpr std::size_t kHttpHeadBytesMax = 64 * 1024;
inline constexpr std::size_t kHttpLineBytesMax = 4096;  ///< a chunk's size line, a trailer
inline constexpr std::size_t kPipelinedRequestsMax = 64;
inline constexpr std::size_t kExchangeRequestBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kExchangeRecordBytesMax = kExchangeRequestBytesMax + 256;
static_assert(kHttpHeadBytesMax < kExchangeRequestBytesMax, "a head fits into a request");
inline constexpr auto kConnectionIdleMax = 10min;
inline constexpr std::size_t kRingBlockBytes = 1024 * 1024;
inline constexpr std::size_t kRingBlocks = 32;
inline constexpr std::size_t kRingBlocksPerTurn = 8;
inline constexpr auto kKpiWindow = 1s;
inline constexpr auto kKpiSettle = 250ms;  ///< what the ring still holds when a window ends
inline constexpr std::size_t kKpiWindowsUnacknowledgedMax = 3600;
inline constexpr std::size_t kKpiReportBytesMax = 256 * 1024;
inline constexpr std::size_t kReplayConnectionsMax = 8 * 1024;  ///< of one arm
inline constexpr std::size_t kReplayQueuedBytesMax = 64 * 1024 * 1024;
inline constexpr auto kReplayConnectMax = 3s;
inline constexpr auto kReplayAnswerMax = 10s;
inline constexpr double kRateMultipleMax = 16;
inline constexpr std::size_t kEgressTargetsMax = 256;  ///< told apart; the rest is counted as one

}  // namespace penumbra::limits
