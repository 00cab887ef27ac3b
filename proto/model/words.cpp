#include <string_view>
#include <variant>

#include "proto/model/api.hpp"
#include "proto/model/command.hpp"
#include "proto/model/effect.hpp"

namespace penumbra::model {

namespace {
template <class... Cases>
struct Match : Cases... {
    using Cases::operator()...;
};
}  // namespace

std::string_view kind_of(const EffectSpec& spec) noexcept {
    return std::visit(Match{
                          [](const IoTune&) -> std::string_view { return "domain.iotune"; },
                          [](const CpuTune&) -> std::string_view { return "domain.cputune"; },
                          [](const Partition&) -> std::string_view { return "ovs.partition"; },
                          [](const BackupHold&) -> std::string_view { return "backup.job"; },
                          [](const MirrorHold&) -> std::string_view { return "mirror.port"; },
                      },
                      spec.action);
}

EffectClass class_of(const EffectSpec& spec) noexcept {
    return std::visit(Match{
                          [](const IoTune&) { return EffectClass::kChange; },
                          [](const CpuTune&) { return EffectClass::kChange; },
                          [](const Partition&) { return EffectClass::kFault; },
                          [](const BackupHold&) { return EffectClass::kHold; },
                          [](const MirrorHold&) { return EffectClass::kHold; },
                      },
                      spec.action);
}

std::string_view name_of(const Operation& operation) noexcept {
    return std::visit(Match{
                          [](const ReplicateGroup&) -> std::string_view { return "replicate_group"; },
                          [](const CreateShadow&) -> std::string_view { return "create_shadow"; },
                          [](const DestroyShadow&) -> std::string_view { return "destroy_shadow"; },
                          [](const StartReplay&) -> std::string_view { return "start_replay"; },
                          [](const StopReplay&) -> std::string_view { return "stop_replay"; },
                          [](const ApplyEffect&) -> std::string_view { return "apply_effect"; },
                          [](const ConfirmEffect&) -> std::string_view { return "confirm_effect"; },
                          [](const RevertEffect&) -> std::string_view { return "revert_effect"; },
                          [](const InspectVm&) -> std::string_view { return "inspect_vm"; },
                          [](const CleanHost&) -> std::string_view { return "clean_host"; },
                          [](const ProbeIsolation&) -> std::string_view { return "probe_isolation"; },
                      },
                      operation);
}

std::string_view to_string(CommandState state) noexcept {
    switch (state) {
        case CommandState::kPlanned:
            return "PLANNED";
        case CommandState::kQueued:
            return "QUEUED";
        case CommandState::kSent:
            return "SENT";
        case CommandState::kAccepted:
            return "ACCEPTED";
        case CommandState::kRunning:
            return "RUNNING";
        case CommandState::kSucceeded:
            return "SUCCEEDED";
        case CommandState::kFailed:
            return "FAILED";
        case CommandState::kRejected:
            return "REJECTED";
        case CommandState::kCancelled:
            return "CANCELLED";
        case CommandState::kExpired:
            return "EXPIRED";
        case CommandState::kUnknown:
            return "UNKNOWN";
    }
    return "UNKNOWN";
}

bool is_final(CommandState state) noexcept {
    switch (state) {
        case CommandState::kSucceeded:
        case CommandState::kFailed:
        case CommandState::kRejected:
        case CommandState::kCancelled:
        case CommandState::kExpired:
            return true;
        case CommandState::kPlanned:
        case CommandState::kQueued:
        case CommandState::kSent:
        case CommandState::kAccepted:
        case CommandState::kRunning:
        case CommandState::kUnknown:
            return false;
    }
    return false;
}

std::string_view to_string(TrialKind kind) noexcept {
    switch (kind) {
        case TrialKind::kAa:
            return "aa";
        case TrialKind::kFault:
            return "fault";
        case TrialKind::kChange:
            return "change";
        case TrialKind::kLoad:
            return "load";
    }
    return "aa";
}

std::string_view to_string(TrialState state) noexcept {
    switch (state) {
        case TrialState::kStartingReplay:
            return "STARTING_REPLAY";
        case TrialState::kWarmingUp:
            return "WARMING_UP";
        case TrialState::kBaseline:
            return "BASELINE";
        case TrialState::kApplying:
            return "APPLYING";
        case TrialState::kMeasuring:
            return "MEASURING";
        case TrialState::kReverting:
            return "REVERTING";
        case TrialState::kStoppingReplay:
            return "STOPPING_REPLAY";
        case TrialState::kEnded:
            return "ENDED";
    }
    return "ENDED";
}

std::string_view to_string(RolloutState state) noexcept {
    switch (state) {
        case RolloutState::kInspecting:
            return "INSPECTING";
        case RolloutState::kShadowTrial:
            return "SHADOW_TRIAL";
        case RolloutState::kInspectingShadow:
            return "INSPECTING_SHADOW";
        case RolloutState::kDrillApplying:
            return "DRILL_APPLYING";
        case RolloutState::kDrillReverting:
            return "DRILL_REVERTING";
        case RolloutState::kDrillInspecting:
            return "DRILL_INSPECTING";
        case RolloutState::kApplying:
            return "APPLYING";
        case RolloutState::kVerifying:
            return "VERIFYING";
        case RolloutState::kAwaitingConfirm:
            return "AWAITING_CONFIRM";
        case RolloutState::kConfirming:
            return "CONFIRMING";
        case RolloutState::kReverting:
            return "REVERTING";
        case RolloutState::kInspectingFinal:
            return "INSPECTING_FINAL";
        case RolloutState::kEnded:
            return "ENDED";
    }
    return "ENDED";
}

std::string_view to_string(RolloutOutcome outcome) noexcept {
    switch (outcome) {
        case RolloutOutcome::kSucceeded:
            return "SUCCEEDED";
        case RolloutOutcome::kRejected:
            return "REJECTED";
        case RolloutOutcome::kRolledBack:
            return "ROLLED_BACK";
        case RolloutOutcome::kAborted:
            return "ABORTED";
        case RolloutOutcome::kRollbackFailed:
            return "ROLLBACK_FAILED";
    }
    return "ABORTED";
}

std::string_view to_string(HostState state) noexcept {
    switch (state) {
        case HostState::kPending:
            return "PENDING";
        case HostState::kUnverified:
            return "UNVERIFIED";
        case HostState::kOnline:
            return "ONLINE";
        case HostState::kDegraded:
            return "DEGRADED";
        case HostState::kSuspect:
            return "SUSPECT";
        case HostState::kUnreachable:
            return "UNREACHABLE";
        case HostState::kQuarantined:
            return "QUARANTINED";
        case HostState::kRetired:
            return "RETIRED";
    }
    return "UNVERIFIED";
}

std::string_view to_string(VerdictKind kind) noexcept {
    switch (kind) {
        case VerdictKind::kPass:
            return "PASS";
        case VerdictKind::kFail:
            return "FAIL";
        case VerdictKind::kInconclusive:
            return "INCONCLUSIVE";
        case VerdictKind::kInvalid:
            return "INVALID";
        case VerdictKind::kAborted:
            return "ABORTED";
    }
    return "INCONCLUSIVE";
}

std::string_view to_string(EffectState state) noexcept {
    switch (state) {
        case EffectState::kIntended:
            return "INTENDED";
        case EffectState::kArmed:
            return "ARMED";
        case EffectState::kApplied:
            return "APPLIED";
        case EffectState::kVerified:
            return "VERIFIED";
        case EffectState::kConfirmed:
            return "CONFIRMED";
        case EffectState::kReverting:
            return "REVERTING";
        case EffectState::kReverted:
            return "REVERTED";
        case EffectState::kConflict:
            return "CONFLICT";
        case EffectState::kFailed:
            return "FAILED";
    }
    return "FAILED";
}

std::string_view to_string(Ceiling ceiling) noexcept {
    switch (ceiling) {
        case Ceiling::kObserve:
            return "observe";
        case Ceiling::kReplicate:
            return "replicate";
        case Ceiling::kShadow:
            return "shadow";
        case Ceiling::kChange:
            return "change";
    }
    return "observe";
}

std::string_view to_string(GenerationKind kind) noexcept {
    return kind == GenerationKind::kFull ? "full" : "incremental";
}

std::string_view to_string(Consistency consistency) noexcept {
    switch (consistency) {
        case Consistency::kCrash:
            return "crash";
        case Consistency::kFilesystem:
            return "filesystem";
        case Consistency::kApplication:
            return "application";
    }
    return "crash";
}

std::string_view to_string(ArmState state) noexcept {
    switch (state) {
        case ArmState::kBuilding:
            return "BUILDING";
        case ArmState::kBooting:
            return "BOOTING";
        case ArmState::kServing:
            return "SERVING";
        case ArmState::kSevered:
            return "SEVERED";
        case ArmState::kGone:
            return "GONE";
    }
    return "GONE";
}

}  // namespace penumbra::model
