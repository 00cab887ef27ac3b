#pragma once

#include <chrono>
#include <cstdint>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/limits/store.hpp"
#include "base/result.hpp"

/// What every Store shares: the bins of measured history, and what it says to a token.
namespace penumbra::coordinator {

/// The begin of the kHistoryBin that a moment falls into.
[[nodiscard]] inline WallTime history_bin(WallTime at) noexcept {
    constexpr auto kBin = std::chrono::milliseconds(limits::kHistoryBin);
    const auto since = at.time_since_epoch();
    return WallTime(since - ((since % kBin) + kBin) % kBin);
}

/// Requests a second of a bin of which `measured` was watched.
[[nodiscard]] inline double rate_of(std::uint64_t requests, std::chrono::milliseconds measured) noexcept {
    return static_cast<double>(requests) * 1000 / static_cast<double>(measured.count());
}

/// One sentence for every reason, so that nobody learns which tokens there are.
[[nodiscard]] inline tl::unexpected<Error> token_refused() {
    return fail(ErrorCode::kPermissionDenied,
                "the enrolment token is unknown, expired, or was used: make another with `penumbra host token`");
}
[[nodiscard]] inline tl::unexpected<Error> key_taken(const HostId& host) {
    return fail(ErrorCode::kAlreadyExists,
                fmt::format("this key is enrolled as host {}: make a new one, or retire {}", host.text(), host.text()));
}

}  // namespace penumbra::coordinator
