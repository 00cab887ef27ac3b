#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <libnbd.h>

#include "base/c_handle.hpp"
#include "base/limits/replica.hpp"
#include "base/result.hpp"
#include "hypervisor/extent_set.hpp"

/// libnbd with deadlines: only its asynchronous calls are used, because the others wait for a server for ever.
namespace penumbra::hypervisor::nbd {

using Handle = CHandle<nbd_handle, nbd_close>;

/// How long a server may stay silent.
struct Patience {
    std::chrono::milliseconds connect = limits::kNbdConnectMax;
    std::chrono::milliseconds answer = limits::kNbdAnswerMax;
    std::chrono::milliseconds read_stall = limits::kNbdReadStallMax;
};

struct Endpoint {
    std::filesystem::path socket;
    std::string export_name;
    std::string context;  ///< the one meta context asked for; empty: none
    Patience patience;
};

/// Connects and checks that the context asked for was granted (kUnsupported when not: silence would read as "nothing
/// changed"). kUnavailable: no server or no such export; kDeadlineExceeded: it does not answer.
[[nodiscard]] Result<Handle> connect(const Endpoint& endpoint);

/// Ranges of `windows` whose flags in the endpoint's context satisfy `matches`, asked over a connection of its own.
[[nodiscard]] Result<ExtentSet> block_status(const Endpoint& endpoint, const ExtentSet& windows,
                                             const std::function<bool(std::uint32_t)>& matches);

/// libnbd's last error of this thread in one sentence.
[[nodiscard]] tl::unexpected<Error> fail_nbd(std::string_view doing);

}  // namespace penumbra::hypervisor::nbd
