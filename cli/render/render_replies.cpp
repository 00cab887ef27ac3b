#include <fmt/format.h>

#include "cli/render/json_values.hpp"
#include "cli/render/render.hpp"
#include "cli/render/table.hpp"
#include "cli/render/text.hpp"

namespace penumbra::cli {

namespace {
std::string json_text(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}
}  // namespace

std::string render(const std::vector<model::IsolationReport>& reports, Format format) {
    if (format == Format::kJson) return json_text(json_of(reports));
    Table table({"SHADOW", "ARM", "AT", "FRAMES", "ON PRODUCTION", "POSITIVE CONTROL", "LISTENED ON", "REASON"});
    for (const model::IsolationReport& report : reports) {
        table.add({report.shadow.text(), report.arm.text(), iso_time(report.at),
                   fmt::format("{}", report.corpus_frames), fmt::format("{}", report.seen_on_production),
                   fmt::format("{}", report.positive_control_seen),
                   fmt::format("{} interfaces", report.listened_on.size()), report.reason});
    }
    return table.text();
}

std::string render(const std::vector<Finding>& findings, Format format) {
    if (format == Format::kJson) {
        Json json = Json::array();
        for (const Finding& finding : findings) {
            json.push_back({{"host", finding.host.text()}, {"subject", finding.subject}, {"problem", finding.problem}});
        }
        return json_text(json);
    }
    if (findings.empty()) return "nothing is wrong\n";
    Table table({"HOST", "SUBJECT", "PROBLEM"});
    for (const Finding& finding : findings)
        table.add({finding.host.empty() ? "-" : finding.host.text(), finding.subject, finding.problem});
    return table.text();
}

std::string render(const model::api::Accepted& accepted, Format format) {
    return format == Format::kJson ? json_text({{"subject", accepted.subject}}) : accepted.subject + "\n";
}

std::string render(const model::api::Imported& imported, Format format) {
    return format == Format::kJson ? json_text({{"points", imported.points}})
                                   : fmt::format("{} points imported\n", imported.points);
}

std::string render(const model::api::Token& token, const HostId& host, Format format) {
    if (format == Format::kJson) {
        return json_text({{"host", host.text()}, {"token", token.token}, {"server_key", token.server_key}});
    }
    // Z85 has no single quote, so the shell takes the key as it stands.
    return fmt::format(
        "On {}, as root, within ten minutes, once:\n\n"
        "    penumbra-agent enrol --server COORDINATOR:7702 --server-key '{}' --token {}\n",
        host.text(), token.server_key, token.token);
}

}  // namespace penumbra::cli
