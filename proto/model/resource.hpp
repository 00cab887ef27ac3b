#pragma once

#include "base/ids.hpp"

namespace penumbra::model {

/// The resource of an order about all of a host (CleanHost): its fence is newer than whatever was ordered of that host
/// before.
[[nodiscard]] inline ResourceId whole_host(const HostId& host) {
    return ResourceId("host:" + host.text());
}

}  // namespace penumbra::model
