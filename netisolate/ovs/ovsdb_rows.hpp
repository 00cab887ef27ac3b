#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "netisolate/ports.hpp"

namespace penumbra::netisolate {

/// What the tables of the Open_vSwitch database say, with the rows' UUIDs that a change has to name (RFC 7047).
struct SwitchRows {
    std::vector<Bridge> bridges;
    std::map<std::string, std::string> port_uuids;    ///< by port name
    std::map<std::string, std::string> bridge_uuids;  ///< by bridge name
    std::map<std::string, std::string> mirror_uuids;  ///< by mirror name
    std::map<std::string, std::string> errors;        ///< Interface.error by port name, where there is one
};

/// Parameters of the `transact` that reads everything SwitchRows holds.
[[nodiscard]] std::string select_everything();
/// Its answer. kDataLoss when it is not what such an answer looks like.
[[nodiscard]] Result<SwitchRows> read_rows(const std::string& answer);

/// Parameters of the `transact` that makes `changes`, counting next_cfg up and reading it as the last operation.
[[nodiscard]] Result<std::string> transaction(std::span<const SwitchChange> changes, const SwitchRows& rows);
/// Parameters that wait at the server until the switch has come as far as configuration `number`.
[[nodiscard]] std::string wait_until_applied(long long number);
/// The first refusal in a transaction's answer becomes the error; else next_cfg as its last operation read it.
[[nodiscard]] Result<long long> read_outcome(const std::string& answer);

}  // namespace penumbra::netisolate
