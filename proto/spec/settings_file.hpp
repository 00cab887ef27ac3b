#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "proto/keys.hpp"

namespace penumbra::spec {

/// coordinator.toml; every key has a default, an empty file is one.
struct CoordinatorSettings {
    std::string listen{"*:7701"};  ///< the fleet link: ADDRESS:PORT, "*" for every address
    std::string enrol{"*:7702"};   ///< where a host with a token asks to be admitted
    std::filesystem::path socket{"/run/penumbra/coordinator/api.sock"};
    std::string socket_group{"penumbra"};              ///< whose members may ask; "": the process's own
    std::filesystem::path state{"/var/lib/penumbra"};  ///< store and key
    std::string time_zone;           ///< of the services' clock, "Europe/Berlin", for forecasts; "": UTC
    std::filesystem::path holidays;  ///< a file of DATE[,NAME[,LIKE]], read at every forecast; "": none
};

/// agent.toml, which `penumbra-agent enrol` writes.
struct AgentSettings {
    HostId host;
    std::string server;                                      ///< the coordinator's fleet link: ADDRESS:PORT
    keys::PublicKey server_key;                              ///< who may speak for the coordinator
    std::filesystem::path keys{"/etc/penumbra/keys"};        ///< folder of this host's own key
    std::filesystem::path state{"/var/lib/penumbra-agent"};  ///< journal, store, replicas
};

/// kInvalidArgument: "FILE:LINE:COLUMN: ...". Thread-safe.
[[nodiscard]] Result<CoordinatorSettings> read_coordinator_settings(std::string_view file, std::string_view toml);
[[nodiscard]] Result<AgentSettings> read_agent_settings(std::string_view file, std::string_view toml);
/// The text that read_agent_settings() reads as the same settings.
[[nodiscard]] std::string write_agent_settings(const AgentSettings& settings);

/// From disk; a missing agent.toml is kNotFound, a missing coordinator.toml all defaults.
[[nodiscard]] Result<CoordinatorSettings> load_coordinator_settings(const std::filesystem::path& path);
[[nodiscard]] Result<AgentSettings> load_agent_settings(const std::filesystem::path& path);

/// Whether `text` is ADDRESS:PORT: a name, an IPv4 address, "[IPv6]" or "*", and 1..65535.
[[nodiscard]] Result<void> check_address(std::string_view text);

}  // namespace penumbra::spec
