#include "base/result.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

namespace penumbra {

std::string_view to_string(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return "invalid_argument";
        case ErrorCode::kNotFound:
            return "not_found";
        case ErrorCode::kAlreadyExists:
            return "already_exists";
        case ErrorCode::kPermissionDenied:
            return "permission_denied";
        case ErrorCode::kUnavailable:
            return "unavailable";
        case ErrorCode::kDeadlineExceeded:
            return "deadline_exceeded";
        case ErrorCode::kConflict:
            return "conflict";
        case ErrorCode::kResourceExhausted:
            return "resource_exhausted";
        case ErrorCode::kDataLoss:
            return "data_loss";
        case ErrorCode::kUnsupported:
            return "unsupported";
        case ErrorCode::kCancelled:
            return "cancelled";
        case ErrorCode::kInternal:
            return "internal";
    }
    return "internal";
}

std::string Error::describe() const {
    std::string text = message;
    for (const Error& next : followed_by)
        text += fmt::format("; and then: {}", next.describe());
    return text;
}

tl::unexpected<Error> fail(ErrorCode code, std::string message, std::source_location where) {
    return tl::unexpected(Error{.code = code, .message = std::move(message), .where = where});
}

tl::unexpected<Error> fail_in(std::string_view context, Error error) {
    error.message = fmt::format("{}: {}", context, error.message);
    return tl::unexpected(std::move(error));
}

namespace {
ErrorCode code_of_errno(int errno_value) noexcept {
    switch (errno_value) {
        case EINVAL:
        case ENAMETOOLONG:
            return ErrorCode::kInvalidArgument;
        case ENOENT:
        case ENODEV:
        case ENXIO:
            return ErrorCode::kNotFound;
        case EEXIST:
            return ErrorCode::kAlreadyExists;
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorCode::kPermissionDenied;
        case EAGAIN:
        case ECONNREFUSED:
        case ECONNRESET:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ENOTCONN:
        case EPIPE:
            return ErrorCode::kUnavailable;
        case ETIMEDOUT:
            return ErrorCode::kDeadlineExceeded;
        case EBUSY:
            return ErrorCode::kConflict;
        case ENOSPC:
        case EDQUOT:
        case ENOMEM:
        case EMFILE:
        case ENFILE:
            return ErrorCode::kResourceExhausted;
        case EIO:
            return ErrorCode::kDataLoss;
        case ENOTSUP:
        case ENOSYS:
            return ErrorCode::kUnsupported;
        case ECANCELED:
            return ErrorCode::kCancelled;
        default:
            return ErrorCode::kInternal;
    }
}
}  // namespace

tl::unexpected<Error> fail_errno(int errno_value, std::string_view context, std::source_location where) {
    return fail(code_of_errno(errno_value),
                fmt::format("{}: {}", context, std::generic_category().message(errno_value)), where);
}

void assertion_failed(std::string_view condition, std::source_location where) {
    fmt::print(stderr, "{}:{}: {}: assertion failed: {}\n", where.file_name(), where.line(), where.function_name(),
               condition);
    std::abort();
}

}  // namespace penumbra
