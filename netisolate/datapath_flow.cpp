#include "netisolate/datapath_flow.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/limits/network.hpp"

namespace penumbra::netisolate {

namespace {

constexpr std::string_view kActions = "actions:";
constexpr std::string_view kRemark = ", dp-extra-info:";  // the userspace datapath's own, behind the actions
constexpr std::string_view kInPort = "in_port(";

bool opens(char c) {
    return c == '(' || c == '{' || c == '[';
}

bool closes(char c) {
    return c == ')' || c == '}' || c == ']';
}

/// Splits at commas outside brackets and quotes.
std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> items;
    std::size_t begin = 0;
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) quoted = !quoted;
        if (quoted) continue;
        depth += opens(text[i]) ? 1 : closes(text[i]) ? -1 : 0;
        if (text[i] != ',' || depth > 0) continue;
        items.push_back(text.substr(begin, i - begin));
        begin = i + 1;
    }
    items.push_back(text.substr(begin));
    return items;
}

std::string unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    return std::string(text);
}

/// A port is a bare word, or the quoted name of one: "vm1", "7", "\"my port\"".
bool is_port(std::string_view action) {
    if (action.empty()) return false;
    if (action.front() == '"') return action.size() >= 2 && action.back() == '"';
    constexpr std::string_view kBareActions[] = {"pop_vlan", "pop_eth", "ct_clear", "pop_nsh", "dec_ttl"};
    return action.find_first_of("(){}[]=") == std::string_view::npos &&
           std::ranges::find(kBareActions, action) == std::end(kBareActions);
}

/// Where `name(` ... `)` says `name` and all of it is one bracket.
bool is_call(std::string_view action, std::string_view name) {
    return action.starts_with(name) && action.size() > name.size() + 1 && action[name.size()] == '(' &&
           action.ends_with(')');
}

std::string_view inside(std::string_view action, std::string_view name) {
    return action.substr(name.size() + 1, action.size() - name.size() - 2);
}

void collect(std::string_view actions, unsigned depth, DatapathFlow& flow);

/// Actions that hold actions: clone(A), sample(sample=P%,actions(A)), check_pkt_len(size=N,gt(A),le(A)).
void collect_nested(std::string_view action, unsigned depth, DatapathFlow& flow) {
    if (is_call(action, "clone")) {
        collect(inside(action, "clone"), depth, flow);
        return;
    }
    for (const std::string_view outer : {"sample", "check_pkt_len"}) {
        if (!is_call(action, outer)) continue;
        for (const std::string_view item : split(inside(action, outer))) {
            for (const std::string_view branch : {"actions", "gt", "le"}) {
                if (is_call(item, branch)) collect(inside(item, branch), depth, flow);
            }
        }
    }
}

void collect(std::string_view actions, unsigned depth, DatapathFlow& flow) {
    for (const std::string_view action : split(actions)) {
        if (action == "drop" || action.empty()) continue;
        if (is_port(action)) {
            flow.outputs.push_back(unquoted(action));
            continue;
        }
        flow.others.emplace_back(action);
        if (depth < limits::kDatapathNestingMax) collect_nested(action, depth + 1, flow);
    }
}

}  // namespace

Result<DatapathFlow> parse_datapath_flow(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
        line.remove_suffix(1);
    const std::size_t actions = line.rfind(kActions);
    if (line.size() > limits::kDatapathLineBytesMax || actions == std::string_view::npos) {
        return fail(ErrorCode::kDataLoss,
                    fmt::format("the datapath's flow '{}' has no actions that penumbra can read; ovs-vswitchd may be "
                                "of a version that penumbra does not know",
                                line.substr(0, 200)));
    }
    DatapathFlow flow{.text = std::string(line)};
    for (std::string_view field : split(line.substr(0, actions))) {
        while (field.starts_with(' '))
            field.remove_prefix(1);
        if (is_call(field, kInPort.substr(0, kInPort.size() - 1))) flow.in_port = unquoted(inside(field, "in_port"));
    }
    std::string_view does = line.substr(actions + kActions.size());
    does = does.substr(0, does.find(kRemark));
    collect(does, 0, flow);
    return flow;
}

Result<std::vector<DatapathFlow>> parse_datapath_dump(std::string_view text) {
    std::vector<DatapathFlow> flows;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with("flow-dump from")) continue;
        flows.push_back(TRY(parse_datapath_flow(line)));
        if (flows.size() > limits::kDatapathFlowsMax) {
            return fail(ErrorCode::kResourceExhausted,
                        fmt::format("the datapath holds more than {} flows, more than one audit reads",
                                    limits::kDatapathFlowsMax));
        }
    }
    return flows;
}

}  // namespace penumbra::netisolate
