#pragma once

#include "base/result.hpp"
#include "proto/model/rollout.hpp"
#include "proto/model/verdict.hpp"

namespace penumbra::cli {

/// What `penumbra` ends with, so that scripts can decide. docs/operations/cli.md lists them; they never change meaning.
enum class ExitCode : int {
    kDone = 0,
    kFailed = 1,         ///< it was tried and failed, or refused; the sentence on stderr says why
    kUsage = 2,          ///< the command line or a file is malformed; nothing was asked of anybody
    kUnreachable = 3,    ///< no coordinator answers
    kFail = 4,           ///< verdict FAIL, or rollout REJECTED or ROLLED_BACK
    kUndecided = 5,      ///< verdict INCONCLUSIVE, INVALID or ABORTED, or rollout ABORTED
    kRollbackFailed = 6  ///< a person must look at production now
};

[[nodiscard]] constexpr ExitCode exit_code(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return ExitCode::kUsage;
        case ErrorCode::kUnavailable:
            return ExitCode::kUnreachable;
        case ErrorCode::kNotFound:
        case ErrorCode::kAlreadyExists:
        case ErrorCode::kPermissionDenied:
        case ErrorCode::kDeadlineExceeded:
        case ErrorCode::kConflict:
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
        case model::VerdictKind::kInvalid:
        case model::VerdictKind::kAborted:
            return ExitCode::kUndecided;
    }
    return ExitCode::kUndecided;
}

[[nodiscard]] constexpr ExitCode exit_code(model::RolloutOutcome outcome) noexcept {
    switch (outcome) {
        case model::RolloutOutcome::kSucceeded:
            return ExitCode::kDone;
        case model::RolloutOutcome::kRejected:
        case model::RolloutOutcome::kRolledBack:
            return ExitCode::kFail;
        case model::RolloutOutcome::kAborted:
            return ExitCode::kUndecided;
        case model::RolloutOutcome::kRollbackFailed:
            return ExitCode::kRollbackFailed;
    }
    return ExitCode::kRollbackFailed;
}

}  // namespace penumbra::cli
