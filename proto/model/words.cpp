#include <string_view>
#include <variant>

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

}  // namespace penumbra::model
