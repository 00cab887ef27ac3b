#include "netisolate/ovs/ovsdb_rows.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

extern "C" {
#include <openvswitch/dynamic-string.h>
#include <openvswitch/json.h>
#include <openvswitch/shash.h>
}

#include <fmt/format.h>

#include "base/c_handle.hpp"
#include "base/limits/network.hpp"

namespace penumbra::netisolate {

namespace {

using Json = CHandle<json, json_destroy>;
constexpr const char* kOwnerKey = "penumbra";

// ---- reading ----

const json* field(const json* row, const char* name) {
    if (row == nullptr || row->type != JSON_OBJECT) return nullptr;
    return static_cast<const json*>(shash_find_data(json_object(row), name));
}

std::string text(const json* value) {
    return value != nullptr && value->type == JSON_STRING ? json_string(value) : "";
}

long long integer(const json* value) {
    return value != nullptr && value->type == JSON_INTEGER ? json_integer(value) : 0;
}

bool truth(const json* value) {
    return value != nullptr && value->type == JSON_TRUE;
}

std::span<json* const> items(const json* array) {
    if (array == nullptr || array->type != JSON_ARRAY) return {};
    return {json_array(array)->elems, json_array(array)->n};
}

/// A column of RFC 7047 is one value, or ["set", [...]]; either way a list.
std::vector<const json*> elements(const json* column) {
    const auto parts = items(column);
    if (parts.size() == 2 && text(parts[0]) == "set") {
        const auto inner = items(parts[1]);
        return {inner.begin(), inner.end()};
    }
    return column == nullptr ? std::vector<const json*>{} : std::vector<const json*>{column};
}

std::string uuid(const json* value) {
    const auto parts = items(value);
    return parts.size() == 2 ? text(parts[1]) : "";
}

std::map<std::string, std::string> dictionary(const json* column) {
    std::map<std::string, std::string> pairs;
    const auto parts = items(column);
    if (parts.size() != 2 || text(parts[0]) != "map") return pairs;
    for (const json* pair : items(parts[1])) {
        const auto both = items(pair);
        if (both.size() == 2) pairs[text(both[0])] = text(both[1]);
    }
    return pairs;
}

std::string owner_of(const json* row) {
    return dictionary(field(row, "external_ids"))[kOwnerKey];
}

using RowsById = std::map<std::string, const json*>;

RowsById by_id(const json* result) {
    RowsById rows;
    for (const json* row : items(field(result, "rows")))
        rows[uuid(field(row, "_uuid"))] = row;
    return rows;
}

std::uint16_t port_number(const json* column) {
    const auto values = elements(column);
    const long long number = values.empty() ? 0 : integer(values.front());
    return number > 0 && number <= 0xffff ? static_cast<std::uint16_t>(number) : std::uint16_t{0};
}

struct Tables {
    RowsById bridges, ports, interfaces, mirrors, controllers;
};

SwitchPort read_port(const json* row, const Tables& tables, SwitchRows& rows) {
    SwitchPort port{.name = text(field(row, "name")), .owner = owner_of(row)};
    const auto interfaces = elements(field(row, "interfaces"));
    port.interfaces = static_cast<std::uint32_t>(interfaces.size());
    for (const json* reference : interfaces) {
        const auto found = tables.interfaces.find(uuid(reference));
        if (found == tables.interfaces.end()) continue;
        port.type = text(field(found->second, "type"));
        if (port.type == "system") port.type.clear();
        port.requested_number = port_number(field(found->second, "ofport_request"));
        port.number = port_number(field(found->second, "ofport"));
        port.options = dictionary(field(found->second, "options"));
        const auto errors = elements(field(found->second, "error"));
        if (!errors.empty()) rows.errors[port.name] = text(errors.front());
    }
    return port;
}

std::vector<std::string> names_of(const json* column, const Tables& tables) {
    std::vector<std::string> names;
    for (const json* reference : elements(column)) {
        const auto found = tables.ports.find(uuid(reference));
        names.push_back(found == tables.ports.end() ? uuid(reference) : text(field(found->second, "name")));
    }
    std::ranges::sort(names);
    return names;
}

Mirror read_mirror(const json* row, const Tables& tables) {
    Mirror mirror{.name = text(field(row, "name")), .owner = owner_of(row)};
    const auto outputs = names_of(field(row, "output_port"), tables);
    if (!outputs.empty()) mirror.output_port = outputs.front();
    mirror.from_ports = names_of(field(row, "select_src_port"), tables);
    mirror.to_ports = names_of(field(row, "select_dst_port"), tables);
    mirror.selects_all = truth(field(row, "select_all"));
    return mirror;
}

Bridge read_bridge(const json* row, const Tables& tables, SwitchRows& rows) {
    Bridge bridge{.name = text(field(row, "name")), .owner = owner_of(row)};
    if (text(field(row, "datapath_type")) == "netdev") bridge.settings.datapath = DatapathType::kNetdev;
    if (text(field(row, "fail_mode")) == "secure") bridge.settings.fail_mode = FailMode::kSecure;
    bridge.settings.in_band_disabled = dictionary(field(row, "other_config"))["disable-in-band"] == "true";
    for (const json* reference : elements(field(row, "controller"))) {
        const auto found = tables.controllers.find(uuid(reference));
        bridge.controllers.push_back(found == tables.controllers.end() ? uuid(reference)
                                                                       : text(field(found->second, "target")));
    }
    for (const char* feature : {"stp_enable", "rstp_enable", "mcast_snooping_enable"}) {
        if (truth(field(row, feature))) bridge.features.emplace_back(feature);
    }
    for (const char* feature : {"netflow", "sflow", "ipfix"}) {
        if (!elements(field(row, feature)).empty()) bridge.features.emplace_back(feature);
    }
    for (const json* reference : elements(field(row, "ports"))) {
        const auto found = tables.ports.find(uuid(reference));
        if (found == tables.ports.end()) continue;
        SwitchPort port = read_port(found->second, tables, rows);
        rows.port_uuids[port.name] = uuid(reference);
        if (port.name != bridge.name) bridge.ports.push_back(std::move(port));
    }
    for (const json* reference : elements(field(row, "mirrors"))) {
        const auto found = tables.mirrors.find(uuid(reference));
        if (found == tables.mirrors.end()) continue;
        bridge.mirrors.push_back(read_mirror(found->second, tables));
        rows.mirror_uuids[bridge.mirrors.back().name] = uuid(reference);
    }
    return bridge;
}

// ---- writing: OVSDB operations as text; json_string_escape quotes what others may have named ----

std::string quoted(const std::string& value) {
    ds out = DS_EMPTY_INITIALIZER;
    json_string_escape(value.c_str(), &out);
    std::string text = ds_cstr(&out);
    ds_destroy(&out);
    return text;
}

std::string marked(const std::string& owner) {
    return fmt::format(R"("external_ids":["map",[["{}",{}]]])", kOwnerKey, quoted(owner));
}

class Operations {
 public:
    explicit Operations(const SwitchRows& rows) : rows_(rows) {}

    void add(std::string operation) { text_ += "," + std::move(operation); }

    /// Inserts a port with its one interface; returns the name its row has in this transaction.
    std::string insert_port(const SwitchPort& port) {
        const std::string id = fmt::format("r{}", ++inserted_);
        std::string request;
        if (port.requested_number != 0) request = fmt::format(R"(,"ofport_request":{})", port.requested_number);
        add(fmt::format(R"({{"op":"insert","table":"Interface","uuid-name":"i{}","row":{{"name":{},"type":{}{}}}}})",
                        id, quoted(port.name), quoted(port.type), request));
        add(fmt::format(
            R"({{"op":"insert","table":"Port","uuid-name":"p{}","row":{{"name":{},"interfaces":["named-uuid","i{}"],{}}}}})",
            id, quoted(port.name), id, marked(port.owner)));
        return fmt::format(R"(["named-uuid","p{}"])", id);
    }

    void mutate_bridge(const std::string& bridge, const char* column, const char* how, const std::string& what) {
        add(fmt::format(
            R"({{"op":"mutate","table":"Bridge","where":[["name","==",{}]],"mutations":[["{}","{}",["set",[{}]]]]}})",
            quoted(bridge), column, how, what));
    }

    static Result<std::string> reference(const std::map<std::string, std::string>& ids, const std::string& name,
                                         std::string_view noun) {
        const auto found = ids.find(name);
        if (found == ids.end()) {
            return fail(ErrorCode::kNotFound, fmt::format("Open vSwitch has no {} '{}'", noun, name));
        }
        return fmt::format(R"(["uuid",{}])", quoted(found->second));
    }

    Result<std::string> references(const std::vector<std::string>& names) const {
        std::string list;
        for (const std::string& name : names) {
            list += (list.empty() ? "" : ",") + TRY(reference(rows_.port_uuids, name, "port"));
        }
        return fmt::format(R"(["set",[{}]])", list);
    }

    static std::string settings(const BridgeSettings& settings) {
        return fmt::format(R"("datapath_type":"{}","fail_mode":{},"other_config":["map",[["disable-in-band","{}"]]])",
                           settings.datapath == DatapathType::kNetdev ? "netdev" : "system",
                           settings.fail_mode == FailMode::kSecure ? R"("secure")" : R"(["set",[]])",
                           settings.in_band_disabled);
    }

    Result<void> operator()(const AddBridge& it) {
        if (rows_.bridge_uuids.contains(it.bridge.name)) {
            return fail(ErrorCode::kConflict, fmt::format("a bridge '{}' is there already", it.bridge.name));
        }
        std::string ports = insert_port({.name = it.bridge.name, .type = "internal", .owner = it.bridge.owner});
        for (const SwitchPort& port : it.bridge.ports)
            ports += "," + insert_port(port);
        const std::string id = fmt::format("b{}", ++inserted_);
        add(fmt::format(
            R"({{"op":"insert","table":"Bridge","uuid-name":"{}","row":{{"name":{},{},{},"ports":["set",[{}]]}}}})", id,
            quoted(it.bridge.name), settings(it.bridge.settings), marked(it.bridge.owner), ports));
        add(fmt::format(
            R"({{"op":"mutate","table":"Open_vSwitch","where":[],"mutations":[["bridges","insert",["set",[["named-uuid","{}"]]]]]}})",
            id));
        return {};
    }
    Result<void> operator()(const RemoveBridge& it) {
        const std::string id = TRY(reference(rows_.bridge_uuids, it.bridge.name, "bridge"));
        add(fmt::format(
            R"({{"op":"mutate","table":"Open_vSwitch","where":[],"mutations":[["bridges","delete",["set",[{}]]]]}})",
            id));
        return {};
    }
    Result<void> operator()(const AddPort& it) {
        TRY(reference(rows_.bridge_uuids, it.bridge, "bridge"));
        TRY(check_free(it.port.name));
        mutate_bridge(it.bridge, "ports", "insert", insert_port(it.port));
        return {};
    }
    Result<void> operator()(const RemovePort& it) {
        mutate_bridge(it.bridge, "ports", "delete", TRY(reference(rows_.port_uuids, it.port.name, "port")));
        return {};
    }
    Result<void> operator()(const AddMirror& it) {
        TRY(reference(rows_.bridge_uuids, it.bridge, "bridge"));
        TRY(check_free(it.port.name));
        const std::string from = TRY(references(it.mirror.from_ports));
        const std::string to = TRY(references(it.mirror.to_ports));
        const std::string port = insert_port(it.port);
        const std::string id = fmt::format("m{}", ++inserted_);
        add(fmt::format(
            R"({{"op":"insert","table":"Mirror","uuid-name":"{}","row":{{"name":{},"output_port":{},"select_src_port":{},"select_dst_port":{},{}}}}})",
            id, quoted(it.mirror.name), port, from, to, marked(it.mirror.owner)));
        mutate_bridge(it.bridge, "ports", "insert", port);
        mutate_bridge(it.bridge, "mirrors", "insert", fmt::format(R"(["named-uuid","{}"])", id));
        return {};
    }
    Result<void> operator()(const RemoveMirror& it) {
        mutate_bridge(it.bridge, "mirrors", "delete", TRY(reference(rows_.mirror_uuids, it.mirror.name, "mirror")));
        mutate_bridge(it.bridge, "ports", "delete", TRY(reference(rows_.port_uuids, it.port.name, "port")));
        return {};
    }
    Result<void> operator()(const SetBridge& it) {
        add(fmt::format(R"({{"op":"update","table":"Bridge","where":[["name","==",{}]],"row":{{{}}}}})",
                        quoted(it.bridge), settings(it.after)));
        return {};
    }

    [[nodiscard]] std::string finish() && {
        add(R"({"op":"mutate","table":"Open_vSwitch","where":[],"mutations":[["next_cfg","+=",1]]})");
        add(R"({"op":"comment","comment":"penumbra"})");
        add(R"({"op":"select","table":"Open_vSwitch","where":[],"columns":["next_cfg"]})");
        return R"(["Open_vSwitch")" + std::move(text_) + "]";
    }

 private:
    [[nodiscard]] Result<void> check_free(const std::string& name) const {
        if (!rows_.port_uuids.contains(name)) return {};
        return fail(ErrorCode::kConflict, fmt::format("a port '{}' is there already", name));
    }

    const SwitchRows& rows_;
    std::string text_;
    unsigned inserted_ = 0;
};

}  // namespace

std::string select_everything() {
    std::string text = R"(["Open_vSwitch")";
    for (const char* table : {"Bridge", "Port", "Interface", "Mirror", "Controller"}) {
        text += fmt::format(R"(,{{"op":"select","table":"{}","where":[]}})", table);
    }
    return text + "]";
}

Result<SwitchRows> read_rows(const std::string& answer) {
    const Json parsed(json_from_string(answer.c_str()));
    const auto results = items(parsed.get());
    if (results.size() < 5 ||
        std::ranges::any_of(results.first(5), [](const json* it) { return field(it, "rows") == nullptr; })) {
        return fail(ErrorCode::kDataLoss, "ovsdb-server's answer does not hold the five tables that were asked for");
    }
    const Tables tables{.bridges = by_id(results[0]),
                        .ports = by_id(results[1]),
                        .interfaces = by_id(results[2]),
                        .mirrors = by_id(results[3]),
                        .controllers = by_id(results[4])};
    SwitchRows rows;
    for (const auto& [id, row] : tables.bridges) {
        rows.bridges.push_back(read_bridge(row, tables, rows));
        rows.bridge_uuids[rows.bridges.back().name] = id;
    }
    std::ranges::sort(rows.bridges, {}, &Bridge::name);
    return rows;
}

Result<std::string> transaction(std::span<const SwitchChange> changes, const SwitchRows& rows) {
    Operations operations(rows);
    for (const SwitchChange& change : changes)
        TRY(std::visit(operations, change));
    return std::move(operations).finish();
}

std::string wait_until_applied(long long number) {
    return fmt::format(
        R"(["Open_vSwitch",{{"op":"wait","table":"Open_vSwitch","where":[["cur_cfg","<",{}]],"columns":["cur_cfg"],"until":"==","rows":[],"timeout":{}}}])",
        number, limits::kSwitchCallDeadline / std::chrono::milliseconds(1) - 500);
}

Result<long long> read_outcome(const std::string& answer) {
    const Json parsed(json_from_string(answer.c_str()));
    const auto results = items(parsed.get());
    for (const json* result : results) {
        const std::string error = text(field(result, "error"));
        if (error.empty()) continue;
        return fail(error == "timed out" ? ErrorCode::kDeadlineExceeded : ErrorCode::kConflict,
                    fmt::format("ovsdb-server refused the transaction, and nothing was changed: {} {}", error,
                                text(field(result, "details"))));
    }
    if (results.empty()) return fail(ErrorCode::kDataLoss, "ovsdb-server's answer holds no result");
    const auto rows = items(field(results.back(), "rows"));
    return rows.empty() ? 0 : integer(field(rows.front(), "next_cfg"));
}

}  // namespace penumbra::netisolate
