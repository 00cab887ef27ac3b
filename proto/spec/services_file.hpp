#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace penumbra::spec {

/// What a VM serves and where it stands in its network: libvirt does not know, root of the host says it.
struct Service {
    std::string vm;                     ///< name or UUID
    std::vector<std::string> servers;   ///< "10.20.0.10:80": captured, and replayed to the clones
    std::vector<std::string> gateways;  ///< "10.20.0.1/24": what the clones take for their gateways
    friend bool operator==(const Service&, const Service&) = default;
};

/// services.toml, a table a VM:
///
///     [[service]]
///     vm = "shop"
///     servers = ["10.20.0.10:80"]
///     gateways = ["10.20.0.1/24"]
///
/// kInvalidArgument: "FILE:LINE:COLUMN: ...". Thread-safe.
[[nodiscard]] Result<std::vector<Service>> read_services(std::string_view file, std::string_view toml);

/// From disk; a file that is not there names no service.
[[nodiscard]] Result<std::vector<Service>> load_services(const std::filesystem::path& path);

}  // namespace penumbra::spec
