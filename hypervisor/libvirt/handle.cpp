#include "hypervisor/libvirt/handle.hpp"

#include <cstdlib>

#include <fmt/format.h>

namespace penumbra::hypervisor::libvirt {

namespace {
ErrorCode code_of(int libvirt_code) noexcept {
    switch (libvirt_code) {
        case VIR_ERR_NO_DOMAIN:
        case VIR_ERR_NO_DOMAIN_CHECKPOINT:
        case VIR_ERR_INVALID_DOMAIN:
            return ErrorCode::kNotFound;
        case VIR_ERR_DOM_EXIST:
            return ErrorCode::kAlreadyExists;
        case VIR_ERR_INVALID_ARG:
        case VIR_ERR_XML_ERROR:
        case VIR_ERR_XML_DETAIL:
            return ErrorCode::kInvalidArgument;
        case VIR_ERR_NO_CONNECT:
        case VIR_ERR_RPC:
        case VIR_ERR_AGENT_UNRESPONSIVE:
        case VIR_ERR_OPERATION_INVALID:
            return ErrorCode::kUnavailable;
        case VIR_ERR_OPERATION_TIMEOUT:
            return ErrorCode::kDeadlineExceeded;
        case VIR_ERR_RESOURCE_BUSY:
            return ErrorCode::kConflict;
        case VIR_ERR_AUTH_FAILED:
        case VIR_ERR_ACCESS_DENIED:
        case VIR_ERR_OPERATION_DENIED:
            return ErrorCode::kPermissionDenied;
        case VIR_ERR_CHECKPOINT_INCONSISTENT:
            return ErrorCode::kDataLoss;
        case VIR_ERR_NO_SUPPORT:
        case VIR_ERR_CONFIG_UNSUPPORTED:
        case VIR_ERR_OPERATION_UNSUPPORTED:
            return ErrorCode::kUnsupported;
        default:
            return ErrorCode::kInternal;
    }
}
}  // namespace

void TextDeleter::operator()(char* text) const noexcept {
    std::free(text);
}

tl::unexpected<Error> fail_libvirt(std::string_view context, std::source_location where) {
    const virError* error = virGetLastError();
    if (error == nullptr || error->code == VIR_ERR_OK)
        return fail(ErrorCode::kInternal, fmt::format("{}: libvirt gave no reason", context), where);
    // Whatever its number: what the connection itself says means that libvirtd did not answer.
    const bool lost = error->domain == VIR_FROM_RPC || error->domain == VIR_FROM_REMOTE;
    return fail(lost ? ErrorCode::kUnavailable : code_of(error->code),
                fmt::format("{}: {}", context, error->message == nullptr ? "no message" : error->message), where);
}

bool failed_with(virErrorNumber code) noexcept {
    return virGetLastErrorCode() == code;
}

}  // namespace penumbra::hypervisor::libvirt
