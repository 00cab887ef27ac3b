#include "netisolate/ovs/ovs_switch.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <ranges>
#include <sstream>

extern "C" {
#include <openvswitch/json.h>
}

#include <fmt/format.h>

#include "base/c_handle.hpp"
#include "base/limits/network.hpp"
#include "netisolate/network_step.hpp"
#include "netisolate/ovs/openflow.hpp"
#include "netisolate/ovs/ovsdb_client.h"
#include "netisolate/ovs/ovsdb_rows.hpp"

namespace penumbra::netisolate {

namespace {

using CText = CHandle<char, std::free>;

Result<std::string> call(const std::string& socket, const std::string& method, const std::string& params) {
    char* result = nullptr;
    char* error = nullptr;
    const int failed = penumbra_rpc_call(("unix:" + socket).c_str(), method.c_str(), params.c_str(),
                                         static_cast<int>(limits::kSwitchCallDeadline / std::chrono::milliseconds(1)),
                                         &result, &error);
    const CText owned_result(result);
    const CText owned_error(error);
    if (failed == 0 && result != nullptr) return std::string(result);
    if (error != nullptr) {
        return fail(ErrorCode::kUnsupported, fmt::format("Open vSwitch refuses '{}': {}", method, error));
    }
    return fail(failed == ETIMEDOUT ? ErrorCode::kDeadlineExceeded : ErrorCode::kUnavailable,
                fmt::format("Open vSwitch does not answer on {} ({}): are its daemons running?", socket,
                            std::strerror(failed)));
}

/// The ports that a change brings, for the look whether each of them works.
std::vector<SwitchPort> ports_added(const SwitchChange& change) {
    if (const auto* bridge = std::get_if<AddBridge>(&change)) return bridge->bridge.ports;
    if (const auto* port = std::get_if<AddPort>(&change)) return {port->port};
    if (const auto* mirror = std::get_if<AddMirror>(&change)) return {mirror->port};
    return {};
}

}  // namespace

Result<std::string> OvsSwitch::database(const std::string& params) const {
    return call(run_dir_ / "db.sock", "transact", params);
}

Result<std::string> OvsSwitch::daemon(const std::string& command, const std::string& params) const {
    std::string pid;
    std::ifstream(run_dir_ / "ovs-vswitchd.pid") >> pid;
    if (pid.empty()) {
        return fail(ErrorCode::kUnavailable, fmt::format("ovs-vswitchd is not running: {} has no pid",
                                                         (run_dir_ / "ovs-vswitchd.pid").string()));
    }
    const std::string answer = TRY(call(run_dir_ / fmt::format("ovs-vswitchd.{}.ctl", pid), command, params));
    // libopenvswitch reads no bare string, as a daemon's answer is one: it is given a list of it
    const CHandle<json, json_destroy> parsed(json_from_string(("[" + answer + "]").c_str()));
    if (parsed->type != JSON_ARRAY || json_array(parsed.get())->n != 1 ||
        json_array(parsed.get())->elems[0]->type != JSON_STRING) {
        return fail(ErrorCode::kDataLoss, fmt::format("ovs-vswitchd's answer to '{}' is not a text", command));
    }
    return std::string(json_string(json_array(parsed.get())->elems[0]));
}

Result<std::string> OvsSwitch::socket_of(std::string_view bridge) const {
    const auto socket = run_dir_ / fmt::format("{}.mgmt", bridge);
    std::error_code ignored;
    if (std::filesystem::exists(socket, ignored)) return socket.string();
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no bridge '{}' on this host, or ovs-vswitchd is not running", bridge));
}

Result<std::string> OvsSwitch::version() {
    TRY(read_rows(TRY(database(select_everything()))));
    const std::string answer = TRY(daemon("version", "[]"));
    return answer.substr(0, answer.find('\n'));
}

Result<std::vector<Bridge>> OvsSwitch::bridges() {
    return std::move(TRY(read_rows(TRY(database(select_everything())))).bridges);
}

Result<void> OvsSwitch::commit(std::span<const SwitchChange> changes) const {
    const SwitchRows rows = TRY(read_rows(TRY(database(select_everything()))));
    const long long number = TRY(read_outcome(TRY(database(TRY(transaction(changes, rows))))));
    TRY(read_outcome(TRY(database(wait_until_applied(number)))));
    return {};
}

Result<void> OvsSwitch::check_ports(std::span<const SwitchChange> changes) const {
    const SwitchRows rows = TRY(read_rows(TRY(database(select_everything()))));
    for (const SwitchChange& change : changes) {
        for (const SwitchPort& wanted : ports_added(change)) {
            const SwitchPort* port = nullptr;
            for (const Bridge& bridge : rows.bridges) {
                if (const SwitchPort* found = find_port(bridge, wanted.name)) port = found;
            }
            if (port == nullptr || port->number == 0) {
                const auto error = rows.errors.find(wanted.name);
                return fail(ErrorCode::kNotFound,
                            fmt::format("Open vSwitch could not open port '{}': {}", wanted.name,
                                        error == rows.errors.end() ? "no reason given" : error->second));
            }
            if (wanted.requested_number == 0 || port->number == wanted.requested_number) continue;
            return fail(ErrorCode::kConflict, fmt::format("port '{}' was given number {} instead of {}", wanted.name,
                                                          port->number, wanted.requested_number));
        }
    }
    return {};
}

Result<void> OvsSwitch::transact(std::span<const SwitchChange> changes) {
    if (changes.empty()) return {};
    TRY(commit(changes));
    Result<void> checked = check_ports(changes);
    if (checked.has_value()) return checked;
    // the rows were accepted, but a device was not: all or nothing is ours to keep
    std::vector<SwitchChange> undo;
    for (const SwitchChange& change : changes | std::views::reverse)
        undo.push_back(inverse(change));
    follow_by(checked, commit(undo));
    return checked;
}

Result<std::vector<Flow>> OvsSwitch::flows(std::string_view bridge) {
    return dump_flows(TRY(socket_of(bridge)));
}

Result<void> OvsSwitch::apply(std::string_view bridge, const FlowBundle& bundle) {
    return apply_bundle(TRY(socket_of(bridge)), bundle);
}

Result<std::vector<DatapathFlow>> OvsSwitch::datapath_flows() {
    std::vector<DatapathFlow> flows;
    std::istringstream datapaths(TRY(daemon("dpctl/dump-dps", "[]")));
    for (std::string datapath; std::getline(datapaths, datapath);) {
        if (datapath.empty()) continue;
        const std::string dump = TRY(daemon("dpctl/dump-flows", fmt::format(R"(["-m","--names","{}"])", datapath)));
        std::ranges::move(TRY(parse_datapath_dump(dump)), std::back_inserter(flows));
    }
    return flows;
}

Result<void> OvsSwitch::settle() {
    TRY(daemon("revalidator/wait", "[]"));
    return {};
}

}  // namespace penumbra::netisolate
