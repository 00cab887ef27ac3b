#pragma once

#include "base/result.hpp"
#include "proto/model/rollout.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::cli {

/// What `penumbra` ends with, so that scripts can decide. docs/operations/cli.md lists them; they never change meaning.
enum class ExitCode : int {
    kDone = 0,             ///< done; verdict PASS; rollout SUCCEEDED
    kFailed = 1,           ///< it was tried and failed, or there is something wrong; the sentence on stderr says why
    kUsage = 2,            ///< the command line or a file is malformed; nothing was asked of anybody
    kUnreachable = 3,      ///< the coordinator, or a host that was needed, does not answer
    kFail = 4,             ///< verdict FAIL
    kInconclusive = 5,     ///< verdict INCONCLUSIVE
    kInvalid = 6,          ///< verdict INVALID
    kAborted = 7,          ///< verdict or rollout ABORTED
    kRejected = 8,         ///< rollout REJECTED: the shadow said no, production was not touched
    kRolledBack = 9,       ///< rollout ROLLED_BACK: production is as it was
    kRollbackFailed = 10,  ///< rollout ROLLBACK_FAILED: a person must look at production now
    kRefused = 11,         ///< policy, ceiling or a conflict said no
    kUnknown = 12          ///< contact was lost on the way: `penumbra command list` shows what became of it
};

[[nodiscard]] constexpr ExitCode exit_code(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return ExitCode::kUsage;
        case ErrorCode::kUnavailable:
            return ExitCode::kUnreachable;
        case ErrorCode::kPermissionDenied:
        case ErrorCode::kConflict:
        case ErrorCode::kAlreadyExists:
            return ExitCode::kRefused;
        case ErrorCode::kDeadlineExceeded:
            return ExitCode::kUnknown;
        case ErrorCode::kNotFound:
        case ErrorCode::kResourceExhausted:
        case ErrorCode::kDataLoss:
        case ErrorCode::kUnsupported:
        case ErrorCode::kCancelled:
        case ErrorCode::kInternal:
            return ExitCode::kFailed;
    }
    return ExitCode::kFailed;
}

[[nodiscard]] constexpr ExitCode exit_code(model::VerdictKind kind) noexcept {
    switch (kind) {
        case model::VerdictKind::kPass:
            return ExitCode::kDone;
        case model::VerdictKind::kFail:
            return ExitCode::kFail;
        case model::VerdictKind::kInconclusive:
            return ExitCode::kInconclusive;
        case model::VerdictKind::kInvalid:
            return ExitCode::kInvalid;
        case model::VerdictKind::kAborted:
            return ExitCode::kAborted;
    }
    return ExitCode::kInvalid;
}

[[nodiscard]] constexpr ExitCode exit_code(model::RolloutOutcome outcome) noexcept {
    switch (outcome) {
        case model::RolloutOutcome::kSucceeded:
            return ExitCode::kDone;
        case model::RolloutOutcome::kRejected:
            return ExitCode::kRejected;
        case model::RolloutOutcome::kRolledBack:
            return ExitCode::kRolledBack;
        case model::RolloutOutcome::kAborted:
            return ExitCode::kAborted;
        case model::RolloutOutcome::kRollbackFailed:
            return ExitCode::kRollbackFailed;
    }
    return ExitCode::kRollbackFailed;
}

}  // namespace penumbra::cli
