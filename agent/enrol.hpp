#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "proto/spec/settings_file.hpp"

namespace penumbra::agent {

/// What an operator hands to a host: `penumbra host token` printed it.
struct Invitation {
    std::string server;  ///< where the coordinator enrols hosts: ADDRESS:PORT
    std::string server_key;
    std::string token;  ///< for one use
};

/// Makes this host's key if it has none, has the coordinator admit it, and writes `settings`. Said again after a lost
/// answer it does the same again. Blocks for up to kEnrolDeadline. kAlreadyExists: this host is enrolled already, and
/// its settings are left as they are.
[[nodiscard]] Result<spec::AgentSettings> enrol(const Invitation& invitation, const std::filesystem::path& settings);

}  // namespace penumbra::agent
