#pragma once

#include <chrono>
#include <filesystem>

#include "base/result.hpp"
#include "proto/model/api.hpp"

namespace penumbra::local {

/// Asks the coordinator that listens at `socket` and waits for its reply, at most `deadline` for all of it. Blocks;
/// thread-safe. kUnavailable: nobody listens, or it ended before it replied; kPermissionDenied: this user may not open
/// the socket; kDeadlineExceeded: no reply in time, and what was asked may still happen (ask again with the same
/// request_id to learn); what encode() and decode_reply() refuse. A Failure is a reply, not an Error.
[[nodiscard]] Result<model::api::Reply> ask(const std::filesystem::path& socket, const model::api::Request& request,
                                            std::chrono::milliseconds deadline);

}  // namespace penumbra::local
